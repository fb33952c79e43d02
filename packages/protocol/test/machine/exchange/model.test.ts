import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { answerManagement, commandPriority, concatBytes, type QueueChange, type QueueEntry } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { DeviceBench, id, SCHEDULE } from './device-bench.ts';

/*
 * Both roles of F5 against each other, with a store on each side, and everything that can happen in between. The reference model is the plain
 * list of commands that the administrator gave, and a count of executions and completions for each.
 */

const TYPES = ['LOCK_DEVICE', 'UPDATE_IT_POLICY', 'REQUEST_DEVICE_INFO'] as const;

class World {
  readonly device = new DeviceBench({ limits: { commandsPerPoll: 5 } });
  queue: QueueEntry[] = [];
  /** Executions that became durable, by command number. */
  readonly executed = new Map<number, number>();
  readonly completed = new Map<number, number>();
  /** Requests on their way to the server, answers on their way back. */
  requests: Uint8Array[] = [];
  answers: Uint8Array[] = [];
  readonly old: Uint8Array[] = [];
  given = 0;

  /** Number of the command before the first. */
  readonly base: number;

  constructor(base = 0) {
    this.base = base;
    this.device.start();
    this.collect();
  }

  give(): void {
    this.given++;
    const type = TYPES[this.given % TYPES.length] as string;
    this.queue.push({
      commandId: id(this.base + this.given),
      type,
      priority: commandPriority(type),
      properties: {},
      createdAtMs: this.device.nowMs,
      state: 'queued',
    });
  }

  /** Takes what the device sent. */
  collect(): void {
    for (const { frame } of this.device.sent.splice(0)) this.requests.push(frame);
  }

  serve(frame: Uint8Array): void {
    this.old.push(frame);
    let reply: Uint8Array;
    try {
      const answer = answerManagement(frame, this.queue, this.device.nowMs, { schedule: SCHEDULE });
      for (const change of answer.changes) this.change(change);
      reply = answer.frame;
    } catch {
      reply = wire.alert.encode({ code: 'badMessage' });
    }
    this.old.push(reply);
    this.answers.push(reply);
    const inFlight = this.queue.filter((entry) => entry.state === 'sent');
    expect(inFlight.length).toBeLessThanOrEqual(1);
  }

  private change(change: QueueChange): void {
    const at = this.queue.findIndex((entry) => numberOf(entry.commandId) === numberOf(change.commandId));
    const entry = this.queue[at];
    if (entry === undefined) return;
    if (change.type === 'sent') this.queue[at] = { ...entry, state: 'sent' };
    if (change.type === 'deferred') this.queue[at] = { ...entry, state: 'queued', notBeforeMs: change.notBeforeMs };
    if (change.type !== 'completed') return;
    expect(entry.state).toBe('sent');
    this.queue[at] = { ...entry, state: change.result.status === 'failed' ? 'failed' : 'done' };
    this.completed.set(numberOf(change.commandId), (this.completed.get(numberOf(change.commandId)) ?? 0) + 1);
  }

  /** Executes as the operating system does: once for each id, in the transaction of the journal. */
  execute(deferFor?: number): void {
    const [request] = this.device.requests;
    if (request?.type !== 'execute') return;
    const number = numberOf(request.command.commandId);
    this.device.requests.shift();
    const key = `os/${number}`;
    const before = this.device.store.get(key);
    const outcome = deferFor === undefined ? { status: 'done' as const } : { status: 'deferred' as const, retryAfterS: deferFor };
    const writes = deferFor === undefined ? [{ key, value: Uint8Array.of((before?.[0] ?? 0) + 1) }] : [];
    this.device.input({ type: 'result', result: { type: 'executed', outcome, writes } });
    this.collect();
  }

  times(number: number): number {
    return this.device.store.get(`os/${number}`)?.[0] ?? 0;
  }

  /** Whatever happened: no command was carried out twice, and none counts as done that was not carried out. */
  check(): void {
    for (let number = this.base + 1; number <= this.base + this.given; number++) {
      expect(this.times(number)).toBeLessThanOrEqual(1);
      expect(this.completed.get(number) ?? 0).toBeLessThanOrEqual(1);
      if (this.completed.get(number) === 1) expect(this.times(number)).toBe(1);
    }
  }

  /** Without further faults everything is done in the end. */
  settle(): void {
    this.requests = [];
    this.answers = [];
    this.device.dieBefore = Number.POSITIVE_INFINITY;
    if (this.device.dead) this.restart();
    for (let round = 0; round < 400; round++) {
      // So much that the longest deferral (1,001 s) is over after a quarter of the rounds.
      this.device.nowMs += 10_000;
      this.collect();
      const request = this.requests.shift();
      if (request !== undefined) this.serve(request);
      const answer = this.answers.shift();
      if (answer !== undefined) this.device.receive(answer);
      else if (this.device.requests.length > 0) this.execute();
      else if (this.device.timers.has('backoff')) this.device.fire('backoff');
      else if (this.device.timers.has('answer')) this.device.fire('answer');
      else if (this.queue.every((entry) => entry.state === 'done')) break;
      else this.device.fire('poll');
    }
    for (let number = this.base + 1; number <= this.base + this.given; number++)
      expect([number, this.times(number), this.completed.get(number)]).toEqual([number, 1, 1]);
    expect(this.device.state).not.toBe('ended');
  }

  restart(): void {
    this.device.restart();
    this.requests = [];
    this.answers = [];
    this.collect();
  }
}

function numberOf(commandId: Uint8Array): number {
  return new DataView(commandId.buffer, commandId.byteOffset).getUint32(12);
}

const FROM_DEVICE: readonly string[] = ['poll', 'commandResult'];

/** Polls, results and answers of another device with commands of its own. */
const STRANGE: readonly Uint8Array[] = strangeFrames();

function strangeFrames(): readonly Uint8Array[] {
  const other = new World(9_000);
  other.give();
  other.give();
  other.device.poll('wakeUp', id(9_000));
  other.settle();
  return other.old;
}

type Action = readonly [name: string, argument: number];

const NAMES = [
  'give',
  'wakeUp',
  'serve',
  'answer',
  'execute',
  'defer',
  'poll timer',
  'answer timer',
  'back-off timer',
  'exchange timer',
  'drop request',
  'drop answer',
  'duplicate request',
  'duplicate answer',
  'reorder',
  'truncate request',
  'truncate answer',
  'flip request',
  'flip answer',
  'splice request',
  'splice answer',
  'replay',
  'wrong type to server',
  'wrong type to device',
  'close',
  'time jump',
  'crash',
  'crash at effect',
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...NAMES), fc.nat(1_000));

function step(world: World, [name, argument]: Action): void {
  const { device } = world;
  const answer = (frame: Uint8Array | undefined): void => void (frame !== undefined && device.receive(frame));
  const first = (frames: Uint8Array[], change: (frame: Uint8Array) => Uint8Array): void => {
    const [frame] = frames;
    if (frame !== undefined) frames[0] = change(frame);
  };
  switch (name) {
    case 'give':
      return world.give();
    case 'wakeUp':
      device.poll('wakeUp', id(argument));
      break;
    case 'serve': {
      const request = world.requests.shift();
      if (request !== undefined) world.serve(request);
      break;
    }
    case 'answer':
      answer(world.answers.shift());
      break;
    case 'execute':
      world.execute();
      break;
    case 'defer':
      world.execute(1 + argument);
      break;
    case 'poll timer':
    case 'answer timer':
    case 'back-off timer':
    case 'exchange timer': {
      const timer = name.replace(' timer', '').replace('-', '');
      if (device.timers.has(timer)) device.fire(timer);
      break;
    }
    case 'drop request':
      world.requests.shift();
      break;
    case 'drop answer':
      world.answers.shift();
      break;
    case 'duplicate request':
      world.requests.push(...world.requests.slice(0, 1));
      break;
    case 'duplicate answer':
      world.answers.push(...world.answers.slice(0, 1));
      break;
    case 'reorder':
      world.answers.reverse();
      world.requests.reverse();
      break;
    case 'truncate request':
      first(world.requests, (frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'truncate answer':
      first(world.answers, (frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'flip request':
    case 'flip answer':
      // TLS is below: a flipped frame can only be a request that the server refuses, or an answer that the device cannot parse.
      first(name === 'flip request' ? world.requests : world.answers, (frame) => {
        const copy = frame.slice();
        copy[argument % 4] = (copy[argument % 4] as number) ^ 0x80;
        return copy;
      });
      break;
    case 'splice request':
    case 'splice answer': {
      // Whole, as one more request or in place of the answer; or its second half behind the first of a frame of this run.
      const toServer = name === 'splice request';
      const whole = argument % 2 === 0;
      const strangers = STRANGE.filter((frame) => FROM_DEVICE.includes(wire.peekFrameName(frame) as string) === toServer);
      const stranger = strangers[(argument >> 1) % strangers.length] as Uint8Array;
      const cut = (frame: Uint8Array): Uint8Array => concatBytes(frame.subarray(0, frame.length >> 1), stranger.subarray(stranger.length >> 1));
      if (whole && toServer) world.requests.unshift(stranger);
      else first(toServer ? world.requests : world.answers, (frame) => (whole ? stranger : cut(frame)));
      break;
    }
    case 'replay': {
      const frame = world.old[argument % Math.max(1, world.old.length)];
      if (frame !== undefined && FROM_DEVICE.includes(wire.peekFrameName(frame) as string)) world.requests.push(frame);
      break;
    }
    case 'wrong type to server':
      world.requests.push(wire.pushAck.encode({ wakeUpId: id(1) }));
      break;
    case 'wrong type to device':
      device.receive(wire.pushAck.encode({ wakeUpId: id(1) }));
      break;
    case 'close':
      device.input({ type: 'closed' });
      break;
    case 'time jump':
      device.nowMs += argument * 1_000;
      break;
    case 'crash':
      world.restart();
      break;
    case 'crash at effect':
      device.dieBefore = device.effects.length + (argument % 12);
      break;
  }
  if (device.dead) world.restart();
  world.collect();
}

describe('management, both roles (F5)', () => {
  it('carries each command out exactly once, whatever happens in between', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const world = new World();
        world.give();
        for (const each of actions) {
          step(world, each);
          world.check();
        }
        world.settle();
      }),
      { numRuns: sized(150, 1_000) },
    );
  });

  it('survives a crash before each effect of a run of three commands', () => {
    for (let effect = 0; effect < 60; effect++) {
      const world = new World();
      for (let number = 0; number < 3; number++) world.give();
      world.device.dieBefore = effect;
      world.device.poll();
      for (let round = 0; round < 40 && !world.device.dead; round++) {
        step(world, ['serve', 0]);
        step(world, ['answer', 0]);
        step(world, ['execute', 0]);
      }
      world.check();
      world.settle();
    }
  });

  it('is refused once it has ended, for good', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const world = new World();
        world.device.poll().receive(wire.alert.encode({ code: 'revoked' }));
        expect(world.device.state).toBe('ended');
        const effects = world.device.effects.length;
        for (const each of actions.filter(([name]) => !name.startsWith('crash'))) step(world, each);
        expect(world.device.state).toBe('ended');
        expect(world.device.effects).toHaveLength(effects);
      }),
      { numRuns: 50 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes } from '../../../src/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { converse, DeviceBench, passwordSecret, ServerBench } from './activation-bench.ts';

/*
 * One device with the right password, a guesser with a wrong one, and a server, over a network that an attacker owns and on a disk that can fail.
 * The reference model is: tries only fall but for a right proof, and there is at most one device, with the device's key.
 */

/** Frames A1 to A6 of a device with the right password at another server: what an attacker can cut into this run. */
const STRANGE: readonly Uint8Array[] = converse(
  new DeviceBench({ seed: 'stranger' }).start(),
  new ServerBench({ options: { entropy: seededEntropy('strange server') } }),
).filter((frame) => !['activationDone', 'acknowledgement'].includes(wire.peekFrameName(frame) as string));

class World {
  readonly server = new ServerBench({ limits: { pendingPerSource: 20 } });
  readonly phone = new DeviceBench({ seed: 'phone' });
  guesser = this.newGuesser(0);
  guesses = 0;
  toServer: Uint8Array[] = [];
  toPhone: Uint8Array[] = [];
  readonly old: Uint8Array[] = [];
  readonly alerts = new Map<string, string>();

  constructor() {
    this.phone.start();
    this.collect();
  }

  private newGuesser(number: number): DeviceBench {
    return new DeviceBench({ seed: `guess ${number}`, secret: passwordSecret('wrong horse') });
  }

  collect(): void {
    for (const { frame } of this.phone.sent.splice(0)) {
      if (wire.peekFrameName(frame) === 'activationRequest') expect(this.phone.events.some((event) => event.type === 'serverAuthenticated')).toBe(true);
      if (wire.peekFrameName(frame) === 'activationDone') expect(this.phone.record?.phase).toBe('configured');
      this.toServer.push(frame);
    }
  }

  serve(frame: Uint8Array, durable = true): Uint8Array | undefined {
    this.old.push(frame);
    if (wire.peekFrameName(frame) === 'activationDone') return wire.acknowledgement.encode({ ok: true });
    const before = this.server.triesLeft();
    const answer = this.server.handle(frame, { durable });
    if (!durable) {
      expect(this.server.triesLeft()).toBe(before);
      return undefined;
    }
    const after = this.server.triesLeft();
    const proved =
      wire.peekFrameName(answer.frame) === 'activationResult' || ['badRecord', 'badCertificateRequest', 'notBoundToRun'].includes(answer.refusal ?? '');
    if (after > before) expect(proved).toBe(true);
    if (wire.peekFrameName(answer.frame) === 'alert') {
      const { code } = wire.alert.decode(wire.parseFrame(answer.frame));
      expect(['badMessage', 'authFailed', 'busy']).toContain(code);
      const text = answer.frame.join();
      expect(this.alerts.get(code) ?? text).toBe(text);
      this.alerts.set(code, text);
    }
    return answer.frame;
  }

  /** A wrong guess, as far as a guesser gets: it never gets A6. */
  guess(): void {
    this.guesser = this.newGuesser(++this.guesses);
    this.guesser.start();
    while (this.guesser.sent.length > 0) {
      const answer = this.serve(this.guesser.take());
      if (answer !== undefined) this.guesser.receive(answer);
    }
    expect(this.guesser.record?.phase).toBe('started');
  }

  check(): void {
    const { devices } = this.server.state;
    expect(devices.size).toBeLessThanOrEqual(1);
    expect(this.server.triesLeft()).toBeGreaterThanOrEqual(0);
    expect(this.server.triesLeft()).toBeLessThanOrEqual(5);
    if (this.phone.record?.phase !== 'started') expect(devices.size).toBe(1);
  }

  restart(): void {
    this.toServer = [];
    this.toPhone = [];
    this.phone.events.length = 0;
    if (this.phone.record?.phase === 'activated') return;
    this.phone.restart();
    this.collect();
  }

  /** Without further faults, and with tries left, the device is activated, once. */
  settle(): void {
    const kept = this.server.state.secrets.values();
    for (const secret of kept) secret.tries = 5;
    this.server.nowMs += 60_000;
    this.phone.nowMs += 60_000;
    if (this.phone.record?.phase !== 'activated') {
      this.phone.restart();
      converse(this.phone, this.server);
    }
    expect(this.phone.record?.phase).toBe('activated');
    expect(this.server.state.devices.size).toBe(1);
    expect(this.phone.record?.details?.deviceId).toBe('device-1');
  }
}

type Action = readonly [name: string, argument: number];

const NAMES = [
  'serve',
  'serve',
  'serve',
  'answer',
  'answer',
  'answer',
  'disk full',
  'guess',
  'drop',
  'duplicate request',
  'duplicate answer',
  'reorder',
  'truncate request',
  'truncate answer',
  'flip request',
  'flip answer',
  'replay',
  'splice request',
  'splice answer',
  'wrong type to server',
  'wrong type to phone',
  'close',
  'deadline',
  'time jump',
  'crash',
  'crash at effect',
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...NAMES), fc.nat(10_000));

function flipped(frame: Uint8Array, at: number): Uint8Array {
  const copy = frame.slice();
  copy[at % copy.length] = (copy[at % copy.length] as number) ^ (1 << (at % 8));
  return copy;
}

function step(world: World, [name, argument]: Action): void {
  const { phone } = world;
  const state = phone.machine.state;
  const answer = (frame: Uint8Array | undefined): void => void (frame !== undefined && world.toPhone.push(frame));
  const first = (frames: Uint8Array[], change: (frame: Uint8Array) => Uint8Array): void => {
    const [frame] = frames;
    if (frame !== undefined) frames[0] = change(frame);
  };
  const next = world.toServer[0];
  switch (name) {
    case 'serve':
    case 'disk full':
      world.toServer.shift();
      if (next !== undefined) answer(world.serve(next, name === 'serve'));
      break;
    case 'answer': {
      const frame = world.toPhone.shift();
      if (frame !== undefined) phone.receive(frame);
      break;
    }
    case 'guess':
      world.guess();
      break;
    case 'drop':
      (argument % 2 === 0 ? world.toServer : world.toPhone).shift();
      break;
    case 'duplicate request':
      world.toServer.push(...world.toServer.slice(0, 1));
      break;
    case 'duplicate answer':
      world.toPhone.push(...world.toPhone.slice(0, 1));
      break;
    case 'reorder':
      world.toServer.reverse();
      world.toPhone.reverse();
      break;
    case 'truncate request':
      first(world.toServer, (frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'truncate answer':
      first(world.toPhone, (frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'flip request':
      first(world.toServer, (frame) => flipped(frame, argument));
      break;
    case 'flip answer':
      first(world.toPhone, (frame) => flipped(frame, argument));
      break;
    case 'replay': {
      const frame = world.old[argument % Math.max(1, world.old.length)];
      if (frame !== undefined) answer(world.serve(frame));
      break;
    }
    case 'splice request':
    case 'splice answer': {
      // Of an earlier run here or of one elsewhere, whole or the second half.
      const others = [...world.old, ...STRANGE];
      const other = others[argument % others.length] as Uint8Array;
      const cut = (frame: Uint8Array): Uint8Array => concatBytes(frame.subarray(0, frame.length >> 1), other.subarray(other.length >> 1));
      first(name === 'splice request' ? world.toServer : world.toPhone, (frame) => (argument % 3 === 0 ? other : cut(frame)));
      break;
    }
    case 'wrong type to server':
      answer(world.serve(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) })));
      break;
    case 'wrong type to phone':
      phone.receive(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
      break;
    case 'close':
      phone.input({ type: 'closed' });
      break;
    case 'deadline':
      if (phone.timers.size > 0) phone.input({ type: 'timer', timer: [...phone.timers.keys()][0] as string });
      break;
    case 'time jump':
      world.server.nowMs += argument * 10;
      phone.nowMs += argument * 10;
      break;
    case 'crash':
      world.restart();
      break;
    case 'crash at effect':
      phone.dieBefore = phone.effects.length + (argument % 10);
      break;
  }
  if (state === 'failed' || state === 'activated') {
    if (name !== 'crash' && !phone.dead) expect(phone.machine.state).toBe(state);
  }
  if (phone.dead) world.restart();
  world.collect();
}

describe('activation, both roles and an attacker (F1)', () => {
  it('keeps its promises whatever happens in between', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const world = new World();
        for (const each of actions) {
          step(world, each);
          world.check();
        }
        world.phone.dieBefore = Number.POSITIVE_INFINITY;
        world.settle();
      }),
      { numRuns: sized(60, 500) },
    );
  });

  it('survives a crash before each effect', () => {
    for (let effect = 0; effect < 40; effect++) {
      const world = new World();
      world.phone.store.clear();
      world.phone.dieBefore = world.phone.effects.length + effect;
      for (let round = 0; round < 6; round++) {
        step(world, ['serve', 0]);
        step(world, ['answer', 0]);
      }
      world.check();
      world.phone.dieBefore = Number.POSITIVE_INFINITY;
      world.settle();
    }
  });

  it('gives a guesser five guesses, also when they run at the same time', () => {
    const world = new World();
    for (let guess = 0; guess < 12; guess++) world.guess();
    expect(world.server.triesLeft()).toBe(0);
    expect(world.server.state.devices.size).toBe(0);
  });
});

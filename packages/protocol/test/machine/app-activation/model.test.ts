import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes, type HeldAccessKey, ProtocolError, toHex } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { ACCESS_KEY, AppBench, ASSISTED, CoreBench, converse, KEY_ID, provisioning, TYPED, Way } from './app-activation-bench.ts';

/*
 * One app with its access key and UEM, over a NOC and a network that an attacker owns, with processes that die and a disk that can fail.
 * The reference model: the key is consumed at most once, by the session whose data the app holds; nothing secret leaves before the confirmation that it needs; and
 * whatever has happened, without further faults the app is activated with the one key, unless the token that UEM has bound the key to went out of date before 0x41.
 */

/** Frames of another app's activation, at another UEM: what an attacker can cut into this run. */
const STRANGE: readonly Uint8Array[] = (() => {
  const app = new AppBench({ seed: 'stranger' }).start();
  return converse(app, new Way(new CoreBench({ seed: 'strange core' }).add(KEY_ID, ASSISTED)));
})();

const hidden: readonly string[] = [ACCESS_KEY, ...[1, 2, 3, 4, 5, 6].map((number) => text(provisioning(number).masterSessionKey))];

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

class World {
  readonly way: Way;
  readonly app: AppBench;
  toCore: Uint8Array[] = [];
  toApp: Uint8Array[] = [];
  readonly old: Uint8Array[] = [];
  readonly alerts = new Map<string, string>();
  jumpedMs = 0;

  constructor(key: HeldAccessKey) {
    this.way = new Way(new CoreBench().add(KEY_ID, key), key);
    this.app = new AppBench({ key }).start();
    this.collect();
  }

  get key() {
    return this.way.core.keys.get(toHex(KEY_ID)) as NonNullable<ReturnType<CoreBench['keys']['get']>>;
  }

  /** What the app says, checked against what it knows. */
  collect(): void {
    for (const { frame } of this.app.sent.splice(0)) {
      for (const secret of hidden) expect(text(frame)).not.toContain(secret);
      if (wire.peekFrameName(frame) === 'nocEnvelope') {
        const { frame: inner } = wire.nocEnvelope.decode(wire.parseFrame(frame));
        const { record } = this.app;
        if (wire.peekFrameName(inner) === 'handshakeFinish') expect(this.app.events.at(-1)?.type).toBe('coreAuthenticated');
        else expect([record?.phase, record?.session?.acknowledgement]).toEqual(['provisioned', inner]);
      }
      this.toCore.push(frame);
    }
  }

  serve(frame: Uint8Array): void {
    this.old.push(frame);
    const { core } = this.way;
    const asked = core.requests.length;
    const consumed = this.key.consumed;
    for (const answer of this.way.exchange(frame)) {
      for (const secret of hidden) expect(text(answer)).not.toContain(secret);
      const name = wire.peekFrameName(answer);
      if (name === 'alert') this.looksAlike(answer);
      // A record leaves UEM only when mac3 is right, or for the same 0x41 again.
      if (name === 'nocEnvelope')
        expect(core.requests.slice(asked).some(({ type }) => type !== 'identify') || this.afterFinish(frame) || consumed).toBeTruthy();
      this.toApp.push(answer);
    }
    if (consumed !== undefined) expect(this.key.consumed).toBe(consumed);
  }

  /** A session that has got past M3 may refuse in a record. */
  private afterFinish(frame: Uint8Array): boolean {
    const { sessionId } = wire.nocEnvelope.decode(wire.parseFrame(frame));
    return (
      this.way.core.requests.some((request) => request.type === 'provision' && toHex(request.sessionId) === toHex(sessionId)) ||
      this.finished.has(toHex(sessionId))
    );
  }

  private get finished(): ReadonlySet<string> {
    return new Set([...this.way.core.sessions].filter(([, { machine }]) => machine.state === 'refused').map(([id]) => id));
  }

  private looksAlike(frame: Uint8Array): void {
    const { code } = wire.alert.decode(wire.parseFrame(frame));
    expect(['badMessage', 'authFailed', 'busy']).toContain(code);
    expect(this.alerts.get(code) ?? frame.join()).toBe(frame.join());
    this.alerts.set(code, frame.join());
  }

  check(): void {
    const { core } = this.way;
    expect(core.kept.size).toBeLessThanOrEqual(1);
    const { record, output } = this.app;
    if (output !== undefined || record?.phase === 'activated') expect(this.key.consumed).toBeDefined();
    if (this.key.consumed === undefined) return;
    // The app that is consumed holds the data that is live.
    expect(['provisioned', 'activated']).toContain(record?.phase);
    expect(record?.data?.masterSessionKey).toEqual(new Uint8Array(32).fill(core.live as number));
  }

  restart(): void {
    this.toCore = [];
    this.toApp = [];
    if (this.app.record?.phase !== 'activated') this.app.restart();
    this.app.dead = false;
    this.collect();
  }

  settle(): void {
    const { key, app, way } = this;
    key.failed = 0;
    way.core.refuse = undefined;
    // The token that the key is bound to may be out of date; then this key activates nobody any more.
    const lost = key.consumed === undefined && key.boundTo !== undefined && this.jumpedMs >= 600_000;
    for (let run = 0; run < 6 && app.record?.phase !== 'activated'; run++) {
      key.fresh = 0;
      app.restart();
      converse(app, way);
    }
    this.check();
    if (lost) return;
    expect(app.record?.phase).toBe('activated');
    expect(way.core.kept.size).toBe(1);
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
  'drop',
  'duplicate request',
  'duplicate answer',
  'reorder',
  'truncate',
  'flip',
  'replay',
  'splice',
  'forged alert',
  'wrong type',
  'close',
  'deadline',
  'time jump',
  'UEM restarts',
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
  const { app, way } = world;
  const { state } = app.machine;
  const frames = argument % 2 === 0 ? world.toCore : world.toApp;
  const first = (change: (frame: Uint8Array) => Uint8Array): void => {
    if (frames[0] !== undefined) frames[0] = change(frames[0]);
  };
  switch (name) {
    case 'serve':
    case 'disk full': {
      const type = (['identify', 'provision', 'consume'] as const)[argument % 3] as 'identify';
      way.core.refuse = name === 'serve' ? undefined : { type, error: new ProtocolError('ERR_REJECTED_BUSY', 'disk full') };
      const frame = world.toCore.shift();
      if (frame !== undefined) world.serve(frame);
      way.core.refuse = undefined;
      break;
    }
    case 'answer': {
      const frame = world.toApp.shift();
      if (frame !== undefined) app.receive(frame);
      break;
    }
    case 'drop':
      frames.shift();
      break;
    case 'duplicate request':
      world.toCore.push(...world.toCore.slice(0, 1));
      break;
    case 'duplicate answer':
      world.toApp.push(...world.toApp.slice(0, 1));
      break;
    case 'reorder':
      world.toCore.reverse();
      world.toApp.reverse();
      break;
    case 'truncate':
      first((frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'flip':
      first((frame) => flipped(frame, argument));
      break;
    case 'replay': {
      const frame = world.old[argument % Math.max(1, world.old.length)];
      if (frame !== undefined) world.serve(frame);
      break;
    }
    case 'splice': {
      const others = [...world.old, ...STRANGE];
      const other = others[argument % others.length] as Uint8Array;
      first((frame) => (argument % 3 === 0 ? other : concatBytes(frame.subarray(0, frame.length >> 1), other.subarray(other.length >> 1))));
      break;
    }
    case 'forged alert':
      app.receive(wire.alert.encode({ code: argument % 3 === 0 ? 'busy' : 'authFailed' }));
      break;
    case 'wrong type':
      if (argument % 2 === 0) app.receive(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
      else world.serve(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
      break;
    case 'close':
      app.input({ type: 'closed' });
      break;
    case 'deadline':
      app.input({ type: 'timer', timer: 'answer' });
      break;
    case 'time jump':
      world.jumpedMs += argument * 10;
      way.core.nowMs += argument * 10;
      way.noc.nowMs += argument * 10;
      app.nowMs += argument * 10;
      break;
    case 'UEM restarts':
      way.core.sessions.clear();
      break;
    case 'crash':
      world.restart();
      break;
    case 'crash at effect':
      app.dieBefore = app.effects.length + (argument % 8);
      break;
  }
  if ((state === 'failed' || state === 'activated') && name !== 'crash' && !app.dead) expect(app.machine.state).toBe(state);
  if (app.dead) {
    app.dieBefore = Number.POSITIVE_INFINITY;
    world.restart();
  }
  world.collect();
}

const HONEST: readonly Action[] = Array<readonly Action[]>(4)
  .fill([
    ['serve', 0],
    ['answer', 0],
  ])
  .flat();

describe.each([
  ['typed', TYPED],
  ['assisted', ASSISTED],
])('the activation of an app with a key that is %s, and an attacker (F3)', (_what, key) => {
  it('keeps its promises whatever happens in between', { timeout: 300_000 }, () => {
    let consumed = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const world = new World(key);
        for (const each of actions) {
          step(world, each);
          world.check();
        }
        if (world.key.consumed !== undefined) consumed++;
        world.app.dieBefore = Number.POSITIVE_INFINITY;
        world.settle();
      }),
      // The honest run is among them, so that the promise is not empty.
      { numRuns: sized(60, 500), examples: [[[...HONEST]]] },
    );
    expect(consumed).toBeGreaterThan(0);
  });

  it('survives a crash of the app before each effect, with no second key', () => {
    for (let effect = 0; effect < 24; effect++) {
      const world = new World(key);
      world.app.store.clear();
      world.app.dieBefore = effect;
      world.app.effects.length = 0;
      world.app.restart();
      for (const each of [...HONEST, ...HONEST]) {
        step(world, each);
        world.check();
      }
      world.app.dieBefore = Number.POSITIVE_INFINITY;
      world.settle();
      expect(world.way.core.keys.size).toBe(1);
    }
  });

  it('survives a loss of each frame, in both directions', () => {
    for (let lost = 0; lost < 8; lost++) {
      const world = new World(key);
      for (const [at, each] of HONEST.entries()) step(world, at === lost ? ['drop', at % 2] : each);
      step(world, ['deadline', 0]);
      world.check();
      world.settle();
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes, ProtocolError } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { AppSide, CoreSide, converse, initiatorOptions, pair, REACHED, REQUEST, responderOptions, UNLOCK_KEY, UPDATE } from './app-update-bench.ts';

/*
 * An activated app and UEM, with the NOC between them as the attacker. The reference model: the app carries out only what UEM has said in a session of this app, at most once
 * in a session; UEM notes only what this app has carried out; nothing of it stands in clear on the way.
 */

type Action = readonly [name: string, argument: number];

const NAMES = [
  'deliver',
  'deliver',
  'deliver',
  'deliver',
  'drop',
  'duplicate',
  'reorder',
  'truncate',
  'flip',
  'splice',
  'wrong type',
  'reflect',
  'UEM refuses',
  'close',
  'deadline',
  'time jump',
  'new session',
] as const;

const action: fc.Arbitrary<Action> = fc.tuple(fc.constantFrom(...NAMES), fc.nat(10_000));

class World {
  readonly strange = converse(pair({ seed: 'other' }));
  app: AppSide;
  core: CoreSide;
  readonly apps = new Set<AppSide>();
  readonly cores = new Set<CoreSide>();
  toCore: Uint8Array[] = [];
  toApp: Uint8Array[] = [];
  runs = 0;

  constructor() {
    this.app = this.newApp();
    this.core = this.newCore();
    this.collect();
  }

  newApp(): AppSide {
    const app = new AppSide(initiatorOptions({ seed: `app ${this.runs++}` })).start();
    this.apps.add(app);
    return app;
  }

  newCore(): CoreSide {
    const core = new CoreSide(responderOptions({ seed: `core ${this.runs++}` }));
    this.cores.add(core);
    return core;
  }

  collect(): void {
    for (const { frame } of this.app.sent.splice(0)) this.toCore.push(this.seen(frame));
    for (const { frame } of this.core.sent.splice(0)) {
      // Before mac3 nothing leaves but M2 and alerts, and a record only as the answer to 0x43 or as the last one.
      if (wire.peekFrameName(frame) === undefined) expect(['awaitingAck', 'noting', 'finished', 'failed']).toContain(this.core.machine.state);
      this.toApp.push(this.seen(frame));
    }
  }

  private seen(frame: Uint8Array): Uint8Array {
    const text = Buffer.from(frame).toString('latin1');
    for (const secret of [UNLOCK_KEY, 'idleLockMinutes']) expect(text).not.toContain(secret);
    return frame;
  }

  check(): void {
    const { app, core } = this;
    expect([app.applied.length <= 1, core.asked.length <= 1, core.noted.length <= 1]).toEqual([true, true, true]);
    for (const request of core.asked) expect(request).toEqual(REQUEST);
    // Nothing is carried out that UEM has not said, and nothing is noted that the app has not carried out.
    for (const update of app.applied) expect(update).toEqual(UPDATE);
    if (app.applied.length > 0) expect([...this.cores].some(({ asked }) => asked.length > 0)).toBe(true);
    for (const report of core.noted) {
      expect(report).toEqual(REACHED);
      expect([...this.apps].some(({ applied }) => applied.length > 0)).toBe(true);
    }
    if (core.output !== undefined) expect(core.noted).toEqual([REACHED]);
    if (app.output !== undefined) expect([app.applied, app.failure]).toEqual([[UPDATE], undefined]);
    if (app.output?.isConfirmed === true) expect([...this.cores].some(({ noted }) => noted.length > 0)).toBe(true);
    // What was carried out is never a failure that locks anything: the app ends well, or fails before it.
    if (app.failure !== undefined && app.machine.state === 'failed') expect(app.output).toBeUndefined();
  }
}

function step(world: World, [name, argument]: Action): void {
  const { app, core } = world;
  const side = argument % 2 === 0 ? core : app;
  const frames = side === core ? world.toCore : world.toApp;
  const first = (change: (frame: Uint8Array) => Uint8Array): void => {
    if (frames[0] !== undefined) frames[0] = change(frames[0]);
  };
  core.refusal = name === 'UEM refuses' ? { of: argument % 3 === 0 ? 'note' : 'compare', error: new ProtocolError('ERR_REJECTED_BUSY', 'later') } : undefined;
  switch (name) {
    case 'UEM refuses':
    case 'deliver': {
      const to = world.toCore.length > 0 ? core : app;
      const frame = (to === core ? world.toCore : world.toApp).shift();
      if (frame !== undefined) to.receive(frame);
      break;
    }
    case 'drop':
      frames.shift();
      break;
    case 'duplicate':
      frames.unshift(...frames.slice(0, 1));
      break;
    case 'reorder':
      world.toCore.reverse();
      world.toApp.reverse();
      break;
    case 'truncate':
      first((frame) => frame.subarray(0, argument % frame.length));
      break;
    case 'flip':
      first((frame) => frame.map((byte, at) => (at === argument % frame.length ? byte ^ (1 << (argument % 8)) : byte)));
      break;
    case 'splice': {
      const other = world.strange[argument % world.strange.length] as Uint8Array;
      first((frame) => (argument % 3 === 0 ? other : concatBytes(frame.subarray(0, frame.length >> 1), other.subarray(other.length >> 1))));
      break;
    }
    case 'wrong type':
      side.receive(wire.pushAck.encode({ wakeUpId: new Uint8Array(16) }));
      break;
    case 'reflect': {
      const frame = frames.shift();
      if (frame !== undefined) (side === core ? app : core).receive(frame);
      break;
    }
    case 'close':
      side.input({ type: 'closed' });
      break;
    case 'deadline':
      side.input({ type: 'timer', timer: 'deadline' });
      break;
    case 'time jump':
      side.nowMs += argument * 100_000;
      break;
    case 'new session':
      world.core = world.newCore();
      if (world.app.output === undefined) world.app = world.newApp();
      break;
  }
  world.collect();
}

describe('an update that an app asks for, and a NOC that attacks (F5.3 to F5.5)', () => {
  it('comes from UEM or not at all, and is noted by UEM only when it was carried out', { timeout: 300_000 }, () => {
    let confirmed = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 24 }), (actions) => {
        const world = new World();
        for (const each of actions) {
          step(world, each);
          world.check();
        }
        if (world.app.output?.isConfirmed === true) confirmed++;
      }),
      // The honest run is among them, so that the promise is not empty.
      { numRuns: sized(60, 500), examples: [[Array<Action>(7).fill(['deliver', 0])]] },
    );
    expect(confirmed).toBeGreaterThan(0);
  });
});

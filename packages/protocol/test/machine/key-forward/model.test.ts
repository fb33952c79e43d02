import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { concatBytes, ProtocolError } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import { ACCESS_KEY, CoreSide, converse, initiatorOptions, pair, REQUEST, responderOptions, responseTo, SiblingSide } from './key-forward-bench.ts';

/*
 * A sibling app and UEM, with the NOC between them as the attacker. The reference model: the sibling has a key only when UEM has given one to exactly this request; UEM is
 * asked at most once in a session, only after mac3, and for nothing but what the sibling has sent; neither key nor request stands in clear on the way.
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
  sibling: SiblingSide;
  core: CoreSide;
  toCore: Uint8Array[] = [];
  toSibling: Uint8Array[] = [];
  runs = 0;

  constructor() {
    this.sibling = this.newSibling();
    this.core = this.newCore();
    this.collect();
  }

  newSibling(): SiblingSide {
    return new SiblingSide(initiatorOptions({ seed: `sibling ${this.runs++}` })).start();
  }

  newCore(): CoreSide {
    return new CoreSide(responderOptions({ seed: `core ${this.runs++}` }));
  }

  collect(): void {
    for (const { frame } of this.sibling.sent.splice(0)) this.toCore.push(this.seen(frame));
    for (const { frame } of this.core.sent.splice(0)) {
      // Before mac3 nothing leaves but M2 and alerts.
      if (wire.peekFrameName(frame) === undefined) expect(['finished', 'failed']).toContain(this.core.machine.state);
      this.toSibling.push(this.seen(frame));
    }
  }

  private seen(frame: Uint8Array): Uint8Array {
    const text = Buffer.from(frame).toString('latin1');
    for (const secret of [ACCESS_KEY, REQUEST.appId]) expect(text).not.toContain(secret);
    return frame;
  }

  check(): void {
    const { sibling, core } = this;
    expect(core.grants.length).toBeLessThanOrEqual(1);
    for (const grant of core.grants) expect(grant).toEqual(REQUEST);
    if (core.output !== undefined) expect(core.grants).toHaveLength(1);
    if (sibling.output !== undefined) expect([sibling.output, sibling.failure]).toEqual([responseTo(REQUEST), undefined]);
  }
}

function step(world: World, [name, argument]: Action): void {
  const { sibling, core } = world;
  const side = argument % 2 === 0 ? core : sibling;
  const frames = side === core ? world.toCore : world.toSibling;
  const first = (change: (frame: Uint8Array) => Uint8Array): void => {
    if (frames[0] !== undefined) frames[0] = change(frames[0]);
  };
  core.refusal = name === 'UEM refuses' ? new ProtocolError('ERR_REJECTED_UNKNOWN', 'not assigned') : undefined;
  switch (name) {
    case 'UEM refuses':
    case 'deliver': {
      const to = world.toCore.length > 0 ? core : sibling;
      const frame = (to === core ? world.toCore : world.toSibling).shift();
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
      world.toSibling.reverse();
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
      if (frame !== undefined) (side === core ? sibling : core).receive(frame);
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
      if (world.sibling.output === undefined) world.sibling = world.newSibling();
      break;
  }
  world.collect();
}

describe('a key that a sibling asks for, and a NOC that attacks (F3.4, F3.5)', () => {
  it('comes from UEM to this sibling or not at all', { timeout: 300_000 }, () => {
    let given = 0;
    fc.assert(
      fc.property(fc.array(action, { maxLength: 24 }), (actions) => {
        const world = new World();
        const cores = new Set([world.core]);
        for (const each of actions) {
          step(world, each);
          world.check();
          cores.add(world.core);
        }
        if (world.sibling.output === undefined) return;
        given++;
        expect([...cores].some(({ output }) => output !== undefined)).toBe(true);
      }),
      // The honest run is among them, so that the promise is not empty.
      { numRuns: sized(60, 500), examples: [[Array<Action>(6).fill(['deliver', 0])]] },
    );
    expect(given).toBeGreaterThan(0);
  });
});

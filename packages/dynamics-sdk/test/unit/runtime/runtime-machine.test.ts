import { transitionRecorder } from '@uemkit/protocol';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { sized } from '../../../../../scripts/lib/test-sizes.ts';
import { type Block, codeOf, isLocked, MAX_BLOCKS, NO_REASON, withBlock } from '../../../src/runtime/lock-reasons.ts';
import { RESULT_CODES } from '../../../src/runtime/result-codes.ts';
import {
  NEW_RUNTIME_RECORD,
  type RuntimeEffect,
  type RuntimeInput,
  RuntimeMachine,
  type RuntimePolicy,
  type RuntimeRecord,
} from '../../../src/runtime/runtime-machine.ts';
import { RUNTIME_TRANSITIONS } from '../../../src/runtime/transitions.ts';

const DAY_MS = 86_400_000;
/** A whole hour. */
const T0 = 1_700_002_800_000;
const policy: RuntimePolicy = { idleLockMs: 60_000, whenExhausted: 'lock', noContact: { days: 3, action: 'block' } };
const recorder = transitionRecorder();
const block = (id: string, origin: Block['origin'] = 'app'): Block => ({ origin, id, title: id, message: 'text' });

/** A runtime, what it has written, and what it has said. */
function runtime(rules: RuntimePolicy = policy, record?: RuntimeRecord) {
  const machine = new RuntimeMachine(rules, record, recorder.listener);
  let nowMs = T0;
  const bench = {
    machine,
    durable: record ?? NEW_RUNTIME_RECORD,
    at(later: number) {
      nowMs = T0 + later;
      return bench;
    },
    take(input: RuntimeInput): readonly RuntimeEffect[] {
      const effects = machine.handle(input, nowMs);
      for (const effect of effects) if (effect.type === 'persist') bench.durable = effect.record;
      return effects;
    },
    kinds: (input: RuntimeInput): readonly string[] => bench.take(input).map(({ type }) => type),
    said(input: RuntimeInput) {
      const said = bench.take(input).find((effect) => effect.type === 'emit');
      return said && [said.state, said.code, said.block?.id].filter((part) => part !== undefined);
    },
    restart: (rulesNow = rules) => runtime(rulesNow, bench.durable),
  };
  return bench;
}

function authorized(rules?: RuntimePolicy) {
  const bench = runtime(rules);
  bench.take({ type: 'contact' });
  bench.take({ type: 'authorize', outcome: 'authorized' });
  return bench;
}

afterAll(() => expect(recorder.missing(RUNTIME_TRANSITIONS)).toEqual([]));

describe('the runtime', () => {
  it('is authorized when every stage has passed, and says why not when one has failed', () => {
    const bench = runtime();
    expect(bench.said({ type: 'authorize', outcome: 'failed', code: 'GDErrorActivationFailed' })).toEqual(['notAuthorized', 'GDErrorActivationFailed']);
    expect(bench.said({ type: 'authorize', outcome: 'authorized' })).toEqual(['authorized', 'GDErrorNone']);
    expect(bench.kinds({ type: 'authorize', outcome: 'authorized' })).toEqual(['arm-timer']);
  });

  it('locks when nobody uses it, and the right password lifts that; the container stays open', () => {
    const bench = authorized();
    bench.at(50_000).take({ type: 'activity' });
    expect(bench.at(109_999).said({ type: 'timer' })).toBeUndefined();
    expect(bench.at(110_000).take({ type: 'timer' })).toEqual([
      expect.objectContaining({ type: 'arm-timer' }),
      { type: 'emit', state: 'locked', code: 'GDErrorIdleLockout' },
    ]);
    expect(bench.said({ type: 'timer' })).toBeUndefined();
    expect(bench.said({ type: 'password', outcome: 'right' })).toEqual(['authorized', 'GDErrorNone']);
    expect(bench.at(120_000).said({ type: 'timer' })).toBeUndefined();
    expect(
      authorized({ whenExhausted: 'lock' })
        .at(10 * DAY_MS)
        .said({ type: 'timer' }),
    ).toBeUndefined();
  });

  it('keeps blocks over restarts, shows the newest, and lets nobody lift those of another', () => {
    const bench = authorized();
    expect(bench.said({ type: 'block', block: block('first') })).toEqual(['locked', 'GDErrorBlocked', 'first']);
    expect(bench.said({ type: 'block', block: block('second', 'console') })).toEqual(['locked', 'GDErrorBlocked', 'second']);
    const again = bench.restart();
    expect(again.said({ type: 'authorize', outcome: 'authorized' })).toEqual(['locked', 'GDErrorBlocked', 'second']);
    expect(again.said({ type: 'unblock', origin: 'app', id: 'second' })).toBeUndefined();
    expect(again.said({ type: 'unblock', origin: 'app', id: 'first' })).toBeUndefined();
    expect(again.said({ type: 'password', outcome: 'right' })).toBeUndefined();
    expect(again.said({ type: 'unblock', origin: 'console', id: 'second' })).toEqual(['authorized', 'GDErrorNone']);
  });

  it('takes the password away in a remote lock, also over a restart, until the unlock key is used', () => {
    const bench = authorized();
    expect(bench.kinds({ type: 'remote-lock' })).toEqual(['persist', 'revoke-password', 'close-container', 'arm-timer', 'emit']);
    const again = bench.restart();
    expect(again.said({ type: 'authorize', outcome: 'authorized' })).toEqual(['locked', 'GDErrorRemoteLockout']);
    expect(again.said({ type: 'password', outcome: 'right' })).toBeUndefined();
    expect(again.said({ type: 'recovered' })).toEqual(['authorized', 'GDErrorNone']);
  });

  it('locks or wipes after too many wrong passwords, as policy says', () => {
    expect(authorized().said({ type: 'password', outcome: 'exhausted' })).toEqual(['locked', 'GDErrorRemoteLockout']);
    const wiping = authorized({ ...policy, whenExhausted: 'wipe' });
    expect(wiping.take({ type: 'password', outcome: 'exhausted' }).map(({ type }) => type)).toEqual(['persist', 'wipe-container', 'arm-timer', 'emit']);
  });

  it('asks for a new password, and one that is right but old does not lift that', () => {
    const bench = authorized();
    expect(bench.said({ type: 'password', outcome: 'expired' })).toEqual(['locked', 'GDErrorPasswordChangeRequired']);
    expect(bench.said({ type: 'password', outcome: 'right' })).toBeUndefined();
    expect(bench.said({ type: 'password', outcome: 'changed' })).toEqual(['authorized', 'GDErrorNone']);
  });

  it('locks where another version is entitled and wipes where none is', () => {
    const bench = authorized();
    expect(bench.said({ type: 'entitlement', verdict: 'other-version' })).toEqual(['locked', 'GDErrorAppVersionNotEntitled']);
    expect(bench.said({ type: 'entitlement', verdict: 'entitled' })).toEqual(['authorized', 'GDErrorNone']);
    expect(bench.said({ type: 'entitlement', verdict: 'none' })).toEqual(['wiped', 'GDErrorAppDenied']);
    bench.take({ type: 'container-gone' });
    for (const start of [runtime(), authorized()]) expect(start.said({ type: 'entitlement', verdict: 'none' })).toEqual(['wiped', 'GDErrorAppDenied']);
    const locked = authorized();
    locked.take({ type: 'block', block: block('a') });
    expect(locked.said({ type: 'entitlement', verdict: 'none' })).toEqual(['wiped', 'GDErrorAppDenied']);
  });

  it('blocks after days without contact, and a contact lifts that; a clock that is set back does not', () => {
    const bench = authorized({ ...policy, idleLockMs: undefined });
    expect(bench.take({ type: 'activity' }).find(({ type }) => type === 'arm-timer')).toEqual({ type: 'arm-timer', atMs: T0 + 3 * DAY_MS + 1 });
    expect(bench.at(3 * DAY_MS).said({ type: 'timer' })).toBeUndefined();
    expect(bench.at(3 * DAY_MS + 1).said({ type: 'timer' })).toEqual(['locked', 'GDErrorBlocked', 'no-contact']);
    expect(bench.at(0).said({ type: 'timer' })).toBeUndefined();
    expect(bench.said({ type: 'unblock', origin: 'app', id: 'no-contact' })).toBeUndefined();
    const again = bench.restart();
    again.at(0).take({ type: 'authorize', outcome: 'authorized' });
    expect(again.machine.state).toBe('locked');
    expect(again.said({ type: 'contact' })).toEqual(['authorized', 'GDErrorNone']);
  });

  it('wipes after days without contact where policy says so, and never before the first contact', () => {
    const rules: RuntimePolicy = { ...policy, noContact: { days: 3, action: 'wipe' } };
    for (const prepare of [
      () => authorized(rules),
      () => {
        const bench = authorized(rules);
        bench.take({ type: 'block', block: block('a') });
        return bench;
      },
      () => {
        const bench = runtime(rules);
        bench.take({ type: 'contact' });
        return bench;
      },
    ]) {
      const bench = prepare();
      expect(bench.at(3 * DAY_MS).said({ type: 'timer' })?.[0]).not.toBe('wiped');
      expect(bench.at(3 * DAY_MS + 1).said({ type: 'timer' })).toEqual(['wiped', 'GDErrorWiped']);
    }
    const fresh = runtime(rules);
    expect(fresh.at(300 * DAY_MS).said({ type: 'timer' })).toBeUndefined();
    const late = authorized({ ...policy, noContact: undefined }).at(9 * DAY_MS);
    expect(late.said({ type: 'timer' })).toEqual(['locked', 'GDErrorIdleLockout']);
    expect(late.said({ type: 'policy', policy: rules })).toEqual(['wiped', 'GDErrorWiped']);
  });

  it('decides a wipe durably before it begins, and ends one that a crash has stopped', () => {
    const bench = authorized();
    const effects = bench.take({ type: 'wipe' });
    expect(effects.map(({ type }) => type)).toEqual(['persist', 'wipe-container', 'arm-timer', 'emit']);
    const again = bench.restart();
    expect([again.machine.state, again.machine.begin()]).toEqual(['wiped', [{ type: 'wipe-container' }]]);
    // Nothing of the old data is given to a new activation.
    expect(again.take({ type: 'begin-anew' })).toEqual([]);
    expect(again.take({ type: 'authorize', outcome: 'authorized' })).toEqual([]);
    again.take({ type: 'container-gone' });
    expect(again.restart().machine.begin()).toEqual([]);
    expect(again.said({ type: 'begin-anew' })).toEqual(['notAuthorized', 'GDErrorNone']);
    expect(again.restart().machine.state).toBe('notAuthorized');
  });

  it('writes the time that it has seen by the hour, and nothing for use alone', () => {
    const bench = authorized({ whenExhausted: 'lock' });
    expect(bench.at(3_599_999).kinds({ type: 'activity' })).toEqual(['arm-timer']);
    expect(bench.at(3_600_000).kinds({ type: 'activity' })).toEqual(['persist', 'arm-timer']);
    expect(bench.durable.latestMs).toBe(T0 + 3_600_000);
  });

  it('is wiped by a command in every state', () => {
    const locked = authorized();
    locked.take({ type: 'block', block: block('a') });
    for (const bench of [runtime(), authorized(), locked]) expect(bench.said({ type: 'wipe' })).toEqual(['wiped', 'GDErrorWiped']);
  });

  it('persists before it says or does anything, and is authorized exactly when nothing locks it, whatever comes', () => {
    const inputs = fc.oneof(
      fc.constantFrom<RuntimeInput>(
        { type: 'authorize', outcome: 'authorized' },
        { type: 'authorize', outcome: 'failed', code: 'GDErrorProvisioningFailed' },
        { type: 'entitlement', verdict: 'other-version' },
        { type: 'entitlement', verdict: 'entitled' },
        { type: 'activity' },
        { type: 'timer' },
        { type: 'password', outcome: 'right' },
        { type: 'password', outcome: 'exhausted' },
        { type: 'password', outcome: 'expired' },
        { type: 'password', outcome: 'changed' },
        { type: 'recovered' },
        { type: 'remote-lock' },
        { type: 'contact' },
      ),
      fc.record({
        type: fc.constant('block' as const),
        block: fc.record({ origin: fc.constantFrom('app', 'console'), id: fc.constantFrom('1', '2'), title: fc.constant('t'), message: fc.constant('m') }),
      }),
      fc.record({ type: fc.constant('unblock' as const), origin: fc.constantFrom('app', 'console'), id: fc.constantFrom('1', '2') }),
    ) as fc.Arbitrary<RuntimeInput>;
    fc.assert(
      fc.property(fc.array(fc.tuple(inputs, fc.nat({ max: 2 * DAY_MS })), { maxLength: 40 }), (steps) => {
        const bench = runtime();
        let later = 0;
        for (const [input, pause] of steps) {
          later += pause;
          const before = bench.durable;
          const kinds = bench.at(later).kinds(input);
          expect(kinds.indexOf('persist')).toBeLessThanOrEqual(0);
          if (bench.durable !== before) expect(kinds[0]).toBe('persist');
          const shown = bench.machine.handle({ type: 'activity' }, T0 + later);
          expect(shown.some(({ type }) => type === 'emit')).toBe(false);
          if (bench.machine.state === 'authorized') expect(isLocked(bench.durable.reasons)).toBe(false);
        }
      }),
      { numRuns: sized(200, 2_000) },
    );
  });
});

describe('reasons to lock', () => {
  it('are told in an order: what the user can do least about comes first', () => {
    const all = { idle: true, passwordChange: true, remoteLock: true, versionNotEntitled: true, blocks: [block('a')] };
    expect(codeOf(all)).toBe('GDErrorRemoteLockout');
    expect(codeOf({ ...all, remoteLock: false })).toBe('GDErrorAppVersionNotEntitled');
    expect(codeOf({ ...all, remoteLock: false, versionNotEntitled: false })).toBe('GDErrorBlocked');
    expect(codeOf({ ...NO_REASON, idle: true, passwordChange: true })).toBe('GDErrorPasswordChangeRequired');
    expect(codeOf({ ...NO_REASON, idle: true })).toBe('GDErrorIdleLockout');
    expect(codeOf(NO_REASON)).toBe('GDErrorNone');
  });

  it('hold so many blocks of one origin, and an app cannot push out those of the console', () => {
    let reasons = withBlock(NO_REASON, block('kept', 'console'));
    for (let n = 0; n <= MAX_BLOCKS; n++) reasons = withBlock(reasons, block(`${n}`));
    expect(reasons.blocks).toHaveLength(MAX_BLOCKS + 1);
    expect(reasons.blocks[0]).toEqual(block('kept', 'console'));
    expect(reasons.blocks.some(({ id }) => id === '0')).toBe(false);
    expect(withBlock(reasons, block('5')).blocks.at(-1)).toEqual(block('5'));
    expect(withBlock(reasons, block('5')).blocks).toHaveLength(MAX_BLOCKS + 1);
  });
});

it('has the documented numbers', () => {
  expect(Object.values(RESULT_CODES)).toEqual([0, -100, -101, -102, -103, -104, -105, -300, -301, -302, -303, -304, -600, -601, -602, -603]);
});

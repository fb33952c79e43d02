import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareOf } from '../../../../scripts/lib/test-sizes.ts';
import type { ConformanceCase } from '../../src/conformance/conformance-case.ts';
import { CONFORMANCE_CASES } from '../../src/conformance/conformance-cases.ts';
import { type CaseResult, runConformance } from '../../src/conformance/run-conformance.ts';
import { COST, TestLab } from './test-lab.ts';
import type { WrongServer } from './wrong-server.ts';
import { WRONG_SERVERS } from './wrong-servers.ts';

/** Wrong servers that one lab is in turn: what one leaves behind does not meet too many others. */
const SERVERS_OF_ONE_LAB = 32;
/** Bounds a hang. */
const PATIENCE_MS = 120_000;

/** Nothing is wrong with it. */
const RIGHT: WrongServer = { name: 'right', breaks: 'nothing', caughtBy: '', options: () => ({}) };

function casesNamed(name: string): readonly ConformanceCase[] {
  return CONFORMANCE_CASES.filter((one) => one.name === name);
}

function kit(
  connection: LabServer['connection'],
  cases: readonly ConformanceCase[],
  more: Partial<Parameters<typeof runConformance>[0]> = {},
): Promise<readonly CaseResult[]> {
  return runConformance({ connection, crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock(), cases, ...more });
}

/** Time of a case goes by the hand of the lab. */
function timeOf(lab: TestLab): Partial<Parameters<typeof runConformance>[0]> {
  return { clock: lab.clock, pass: async (durationMs) => lab.pass(durationMs) };
}

describe('conformance kit', () => {
  it('has more than 140 cases, each with a name of its own, a step and a section', () => {
    expect(CONFORMANCE_CASES.length).toBeGreaterThan(140);
    expect(new Set(CONFORMANCE_CASES.map(({ name }) => name)).size).toBe(CONFORMANCE_CASES.length);
    for (const { step, section, demand } of CONFORMANCE_CASES) {
      expect(step).toMatch(/^F[15]\.[1-6]$/);
      expect(section).toMatch(/^\d{1,2}\.\d{1,2}$/);
      expect(demand).not.toBe('');
    }
  });

  it(
    'holds for the lab, slow cases included, and leaves nothing behind',
    async () => {
      const real = systemClock();
      let aheadMs = 0;
      const clock = { nowMs: () => real.nowMs() + aheadMs, monotonicMs: () => real.monotonicMs() + aheadMs, setTimer: real.setTimer.bind(real) };
      const lab = await startLabServer({ cost: COST, clock });
      try {
        const pass = async (durationMs: number): Promise<void> => {
          aheadMs += durationMs;
        };
        const results = await kit(lab.connection, CONFORMANCE_CASES, { clock, pass, width: 4 });
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
        expect(results.map(({ name }) => name)).toEqual(CONFORMANCE_CASES.map(({ name }) => name));
        expect([...lab.admin.users()]).toEqual([]);
        expect([...lab.admin.devices()]).toEqual([]);
        expect([...lab.admin.profiles()].map(({ profileId }) => profileId)).toEqual(['default']);
        const isOurs = ({ name }: { readonly name: string }): boolean => name.endsWith('@conformance.invalid');
        expect([...lab.admin.policies(), ...lab.admin.configurationProfiles()].filter(isOurs)).toEqual([]);
        expect(lab.admin.licences()).toEqual({ used: 0, limit: undefined });
      } finally {
        await lab.close();
      }
    },
    PATIENCE_MS,
  );

  it(
    'holds for a lab whose notification services are slow to take a wake-up',
    async () => {
      const lab = await startLabServer({ cost: COST });
      try {
        lab.faults.add({ kind: 'delay', delayMs: 300, service: 'provider' });
        const ofPush = CONFORMANCE_CASES.filter(({ name }) => name.startsWith('push-'));
        expect((await kit(lab.connection, ofPush, { width: 4 })).filter(({ ok }) => !ok)).toEqual([]);
        expect(lab.faults.list()[0]?.applied).toBeGreaterThan(4);
      } finally {
        await lab.close();
      }
    },
    PATIENCE_MS,
  );

  it('fails, with what it saw, for a server that is not there', async () => {
    const lab = await startLabServer({ cost: COST });
    await lab.close();
    const [result] = await kit(lab.connection, casesNamed('http-media-type'));
    expect(result).toMatchObject({ ok: false, seen: expect.stringMatching(/nobody listens|ECONNREFUSED/) });
  });
});

describe('wrong servers', () => {
  it('have names of their own, and there is one for every case', () => {
    expect(new Set(WRONG_SERVERS.map(({ name }) => name)).size).toBe(WRONG_SERVERS.length);
    const caughtBy = new Set(WRONG_SERVERS.map((server) => server.caughtBy));
    expect([...caughtBy].sort()).toEqual(CONFORMANCE_CASES.map(({ name }) => name).sort());
  });

  it(
    'are caught by cases that wait for nothing that a right one does not do in time',
    async () => {
      const lab = await TestLab.start();
      try {
        const waiting = CONFORMANCE_CASES.filter(({ slow }) => slow === true);
        const results = await lab.being(RIGHT, (connection) => kit(connection, waiting, timeOf(lab)));
        expect(results.map(({ name, seen }) => [name, seen])).toEqual(waiting.map(({ name }) => [name, undefined]));
        expect(waiting.length).toBeGreaterThan(1);
      } finally {
        await lab.close();
      }
    },
    PATIENCE_MS,
  );

  describe.each(groupsOf(shareOf(WRONG_SERVERS, 8), SERVERS_OF_ONE_LAB).map((servers, group) => [group + 1, servers] as const))(
    'group %i',
    (_group, servers) => {
      let lab: TestLab;
      beforeAll(async () => {
        lab = await TestLab.start();
      });
      afterAll(() => lab.close());

      it.each(servers.map((server) => [server.name, server.caughtBy, server.breaks, server] as const))(
        '%s is caught by %s: %s',
        async (_name, caughtBy, _breaks, server) => {
          const [result] = await lab.being(server, (connection) => kit(connection, casesNamed(caughtBy), { ...timeOf(lab), patienceMs: 1_000 }));
          expect(result).toMatchObject({ name: caughtBy, ok: false });
          // Caught by what it answered, and not because the set-up broke.
          expect(result?.seen).not.toMatch(/Error/);
        },
        PATIENCE_MS,
      );
    },
  );
});

function groupsOf<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, group) => list.slice(group * size, (group + 1) * size));
}

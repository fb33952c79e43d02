import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import type { ConformanceCase } from '../../src/conformance/conformance-case.ts';
import { CONFORMANCE_CASES } from '../../src/conformance/conformance-cases.ts';
import { type CaseResult, runConformance } from '../../src/conformance/run-conformance.ts';
import { WRONG_SERVERS } from './wrong-servers.ts';

/** The least cost that devices accept: these tests are not about guessing. */
const COST = { N: 16_384, r: 8, p: 1 };
/** Bounds a hang. */
const PATIENCE_MS = 120_000;

function casesNamed(name: string): readonly ConformanceCase[] {
  return CONFORMANCE_CASES.filter((one) => one.name === name);
}

function kit(lab: LabServer, cases: readonly ConformanceCase[], more: Partial<Parameters<typeof runConformance>[0]> = {}): Promise<readonly CaseResult[]> {
  return runConformance({ connection: lab.connection, crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock(), cases, ...more });
}

describe('conformance kit', () => {
  it('has more than 60 cases, each with a name of its own, a step and a section', () => {
    expect(CONFORMANCE_CASES.length).toBeGreaterThan(60);
    expect(new Set(CONFORMANCE_CASES.map(({ name }) => name)).size).toBe(CONFORMANCE_CASES.length);
    for (const { step, section, demand } of CONFORMANCE_CASES) {
      expect(step).toMatch(/^F[15]\.[1-6]$/);
      expect(section).toMatch(/^\d{1,2}\.\d$/);
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
        const results = await kit(lab, CONFORMANCE_CASES, { clock, pass, width: 4 });
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
        expect(results.map(({ name }) => name)).toEqual(CONFORMANCE_CASES.map(({ name }) => name));
        expect([...lab.admin.users()]).toEqual([]);
        expect([...lab.admin.devices()]).toEqual([]);
      } finally {
        await lab.close();
      }
    },
    PATIENCE_MS,
  );

  it('fails, with what it saw, for a server that is not there', async () => {
    const lab = await startLabServer({ cost: COST });
    await lab.close();
    const [result] = await kit(lab, casesNamed('http-media-type'));
    expect(result).toMatchObject({ ok: false, seen: expect.stringMatching(/nobody listens|ECONNREFUSED/) });
  });
});

describe('wrong servers', () => {
  it('are at least twelve, by names of their own, and each names a case', () => {
    expect(WRONG_SERVERS.length).toBeGreaterThanOrEqual(12);
    expect(new Set(WRONG_SERVERS.map(({ name }) => name)).size).toBe(WRONG_SERVERS.length);
    for (const { caughtBy } of WRONG_SERVERS) expect(casesNamed(caughtBy)).toHaveLength(1);
  });

  it.each(WRONG_SERVERS.map((server) => [server.name, server.caughtBy, server.breaks, server] as const))(
    '%s is caught by %s: %s',
    async (_name, caughtBy, _breaks, server) => {
      let lab: LabServer | undefined;
      lab = await startLabServer({ cost: COST, ...server.options(() => lab as LabServer) });
      try {
        const [result] = await kit(lab, casesNamed(caughtBy), { patienceMs: 1_000 });
        expect(result).toMatchObject({ name: caughtBy, ok: false });
        // Caught by what it answered, and not because the set-up broke.
        expect(result?.seen).not.toMatch(/Error/);
      } finally {
        await lab.close();
      }
    },
    PATIENCE_MS,
  );
});

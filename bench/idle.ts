import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BareConnection } from './bare/connection.ts';
import { type Bench, round } from './harness.ts';
import { hold } from './hold-process.ts';
import { startLab, startProcess } from './lab-process.ts';

const DEVICES = 2_000;
/** The first reading: the code is compiled by then. */
const FROM = 500;
/** A device may cost this share of a bare `ws` client, and this much more. */
const RATIO = 1.25;
const EXTRA_KIB = 6;

export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const bare = await startProcess<BareConnection>('bench/bare/server.ts', ['1']);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  try {
    progress(`activating ${DEVICES} devices`);
    await hold({ mode: 'activate', connection: lab.info, folder, count: DEVICES });
    const memory: { readonly value: number; readonly baseline: number }[] = [];
    for (let run = 0; run < 3; run++) {
      progress(`holding, run ${run + 1} of 3`);
      const { memoryKiB: value } = await hold({ mode: 'devices', folder, count: DEVICES, from: FROM, polls: false });
      const { memoryKiB: baseline } = await hold({ mode: 'bare', connection: bare.info, folder, count: DEVICES, from: FROM, polls: false });
      memory.push({ value, baseline });
    }
    memory.sort((a, b) => a.value / a.baseline - b.value / b.baseline);
    const { value, baseline } = memory[1] as (typeof memory)[number];
    const limit = RATIO * baseline + EXTRA_KIB;
    return [
      {
        metric: `memory of a device at rest (${DEVICES} devices)`,
        value: round(value),
        unit: 'KiB',
        baseline: round(baseline),
        ratio: round(value / baseline),
        bar: `<= ${RATIO} x baseline + ${EXTRA_KIB} KiB = ${round(limit)} KiB`,
        ok: value <= limit,
      },
    ];
  } finally {
    await Promise.all([lab.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
};

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BareConnection } from './bare/connection.ts';
import { type Bench, type Figure, median, round } from './harness.ts';
import { hold } from './hold-process.ts';
import { startLab, startProcess } from './lab-process.ts';

const SIZES = [100, 1_000, 5_000] as const;
/** Small sizes run more often: they take less time, and their figures vary as much. */
const RUNS = [7, 5, 3] as const;
/** Polls a device, so that each size does about as many in all. */
const pollsAt = (count: number): number => Math.max(2, Math.round(10_000 / count));
const SPREAD = 1.2;
/** Memory is read twice in one process, here and at the largest size: what it takes for other reasons, the compiler's threads above all, is in both readings. */
const SLOPE_FROM = 1_000;
const fromOf = (count: number): number | undefined => (count > SLOPE_FROM ? SLOPE_FROM : undefined);

export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const bare = await startProcess<BareConnection>('bench/bare/server.ts', ['64']);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const figures: Figure[] = [];
  try {
    const largest = SIZES[SIZES.length - 1] as number;
    progress(`activating ${largest} devices`);
    await hold({ mode: 'activate', connection: lab.info, folder, count: largest });
    const ratios: number[] = [];
    /** Of the last size, the largest. */
    let memory = { value: 0, baseline: 0 };
    for (const [index, count] of SIZES.entries()) {
      const runs = [];
      const total = RUNS[index] as number;
      for (let run = 0; run < total; run++) {
        progress(`${count} devices, run ${run + 1} of ${total}`);
        const ours = await hold({ mode: 'devices', folder, count, from: fromOf(count), polls: pollsAt(count) });
        const base = await hold({ mode: 'bare', connection: bare.info, folder, count, from: fromOf(count), polls: pollsAt(count) });
        runs.push({ ours, base });
      }
      const ratio = median(runs.map(({ ours, base }) => ours.pollMicros / base.pollMicros));
      ratios.push(ratio);
      memory = { value: median(runs.map(({ ours }) => ours.memoryKiB)), baseline: median(runs.map(({ base }) => base.memoryKiB)) };
      figures.push({
        metric: `client CPU a warm poll, ${count} devices`,
        unit: 'µs',
        value: round(median(runs.map(({ ours }) => ours.pollMicros))),
        baseline: round(median(runs.map(({ base }) => base.pollMicros))),
        ratio: round(ratio),
      });
    }
    const spread = Math.max(...ratios) / Math.min(...ratios);
    figures.push({ metric: 'largest ratio over smallest', unit: '', value: round(spread), bar: `<= ${SPREAD}`, ok: spread <= SPREAD });
    const { value, baseline } = memory;
    const limit = 1.25 * baseline + 6;
    figures.push({
      metric: 'memory a device, slope from 1,000 to 5,000',
      unit: 'KiB',
      value: round(value),
      baseline: round(baseline),
      ratio: round(value / baseline),
      bar: `<= ${round(limit)} KiB`,
      ok: value <= limit,
    });
    return figures;
  } finally {
    await Promise.all([lab.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
};

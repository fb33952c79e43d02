import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BareConnection } from './bare/connection.ts';
import { type Bench, type Figure, median, round } from './harness.ts';
import { hold, holding } from './hold-process.ts';
import { startLab, startProcess } from './lab-process.ts';

const SIZES = [100, 1_000, 5_000] as const;
/** Pairs of processes, ours and bare, that are alive at the same time. */
const PAIRS = [4, 3, 3] as const;
/** Slices of polls of each pair, in turns: the machine changes its speed faster than a process runs. */
const SLICES = 10;
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
      const slices: { readonly ours: number; readonly base: number }[] = [];
      const memories: { readonly ours: number; readonly base: number }[] = [];
      const total = PAIRS[index] as number;
      for (let pair = 0; pair < total; pair++) {
        progress(`${count} devices, pair ${pair + 1} of ${total}`);
        const ours = await holding({ mode: 'devices', folder, count, from: fromOf(count), polls: true });
        const base = await holding({ mode: 'bare', connection: bare.info, folder, count, from: fromOf(count), polls: true });
        memories.push({ ours: ours.memoryKiB, base: base.memoryKiB });
        for (let slice = 0; slice < SLICES; slice++) slices.push({ ours: await ours.slice(), base: await base.slice() });
        await Promise.all([ours.end(), base.end()]);
      }
      const ratio = median(slices.map(({ ours, base }) => ours / base));
      ratios.push(ratio);
      memory = { value: median(memories.map(({ ours }) => ours)), baseline: median(memories.map(({ base }) => base)) };
      figures.push({
        metric: `client CPU a warm poll, ${count} devices`,
        unit: 'µs',
        value: round(median(slices.map(({ ours }) => ours))),
        baseline: round(median(slices.map(({ base }) => base))),
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

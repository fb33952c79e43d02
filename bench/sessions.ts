import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledProgram } from '../scripts/lib/bundled-program.mjs';
import { type AppLab, startAppLab } from './app-lab.ts';
import type { EchoConnection } from './bare/echo-server.ts';
import { type Bench, type Figure, reported, round } from './harness.ts';
import type { AppTask, HeldApps, Storm } from './hold-apps.ts';
import { type ClientProcess, startClient } from './hold-process.ts';
import { startProcess } from './lab-process.ts';

const APPS = 1_000;
/** The first reading: the code is compiled by then. */
const FROM = 250;
/** An app with a link may cost this share of a bare TLS connection, and this much more. */
const RATIO = 1.25;
const EXTRA_KIB = 8;
const RUNS = 3;

/** Starts a task in a process of its own, bundled as the package is built: with `tsx` each function inside of another one has its name in a table of its own, 30 KiB an app. */
async function held(task: AppTask): Promise<HeldApps & { readonly client: ClientProcess }> {
  const client = startClient(await bundledProgram(new URL('./hold-apps.ts', import.meta.url)), []);
  return { ...(await client.ask<HeldApps>(task)), client };
}

/** The NOC of apps that hold a link each dies and starts again. */
async function storm(lab: AppLab, client: ClientProcess): Promise<readonly Figure[]> {
  const ended = client.ask<Storm>('storm');
  const now = (): number => performance.timeOrigin + performance.now();
  const killedMs = now();
  await lab.killNoc();
  await lab.startNoc();
  const listensMs = now();
  const { firstLostMs, lastBackMs, awayMs, connectMs, failed } = await ended;
  if (firstLostMs < killedMs) throw new Error('a link was lost before the NOC was killed');
  const at = (values: readonly number[], share: number): number => values[Math.ceil(values.length * share) - 1] as number;
  return [
    reported(`storm: ${APPS} links back, from the kill of the NOC`, 'ms', lastBackMs - killedMs),
    reported('of it until the NOC listens again', 'ms', listensMs - killedMs),
    reported('an app without a link, p50', 'ms', at(awayMs, 0.5)),
    reported('an app without a link, p99', 'ms', at(awayMs, 0.99)),
    reported('the connect that succeeds, p50', 'ms', at(connectMs, 0.5)),
    reported('the connect that succeeds, p99', 'ms', at(connectMs, 0.99)),
    reported('connects that failed, for each app', '', failed / APPS),
  ];
}

export const bench: Bench = async (progress) => {
  const echo = await startProcess<EchoConnection>('bench/bare/echo-server.ts', []);
  const lab = await startAppLab();
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const { place } = lab;
  try {
    await lab.allow(echo.info.port);
    progress(`${APPS} apps activate themselves`);
    const activated = await held({ mode: 'activate', place, folder, count: APPS, qrCode: await lab.qrCode() });
    await activated.client.end();
    const memory: { readonly value: number; readonly baseline: number }[] = [];
    let figures: readonly Figure[] = [];
    for (let run = 1; run <= RUNS; run++) {
      progress(`holding, run ${run} of ${RUNS}`);
      const apps = await held({ mode: 'apps', place, folder, count: APPS, from: FROM, echo: echo.info });
      const bare = await held({ mode: 'bare', echo: echo.info, count: APPS, from: FROM });
      await bare.client.end();
      progress(`${round(apps.memoryKiB)} KiB an app, ${round(bare.memoryKiB)} KiB a bare connection`);
      memory.push({ value: apps.memoryKiB, baseline: bare.memoryKiB });
      if (run === RUNS) {
        progress('the NOC dies');
        figures = await storm(lab, apps.client);
      }
      await apps.client.end();
    }
    memory.sort((a, b) => a.value / a.baseline - b.value / b.baseline);
    const { value, baseline } = memory[RUNS >> 1] as (typeof memory)[number];
    const limit = RATIO * baseline + EXTRA_KIB;
    return [
      {
        metric: `memory of an app with a link to the NOC (${APPS} apps)`,
        value: round(value),
        unit: 'KiB',
        baseline: round(baseline),
        ratio: round(value / baseline),
        bar: `<= ${RATIO} x baseline + ${EXTRA_KIB} KiB = ${round(limit)} KiB`,
        ok: value <= limit,
      },
      ...figures,
    ];
  } finally {
    await lab.stop();
    await echo.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

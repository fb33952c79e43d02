import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Pool } from 'undici';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { post } from './bare/post.ts';
import { benchDevice, observePolls, qrCodes, surroundings } from './devices.ts';
import { atMost, type Bench, compared, cpuMicros, reported } from './harness.ts';
import { startLab } from './lab-process.ts';

const BATCH = 500;
const ROUNDS = 9;

export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const fleet = new FleetStore(folder);
  let pool: Pool | undefined;
  try {
    const [content] = await qrCodes(lab.info, 'poll', 1);
    const observed = observePolls(0);
    const client = benchDevice(surroundings({ releaseAfterMs: 600_000 }), { index: 0, store: fleet.device(0), wrap: observed.wrap });
    await client.open();
    await client.activate({ kind: 'qr', content: content as string });
    await client.poll();
    await client.poll();
    const { address, key, cert, frame } = await observed.material();
    const secureContext = createSecureContext({ ca: lab.info.ca, key, cert, minVersion: 'TLSv1.3' });
    const bare = new Pool(`https://${address}`, { connections: 1, pipelining: 1, connect: { secureContext } as never });
    pool = bare;
    const body = Buffer.from(frame, 'base64');
    const polls = async (): Promise<void> => {
      for (let i = 0; i < BATCH; i++) await client.poll();
    };
    const posts = async (): Promise<void> => {
      for (let i = 0; i < BATCH; i++) await post(bare, '/uemkit/1/device', body);
    };
    await polls();
    await posts();
    const pairs: { value: number; baseline: number }[] = [];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      progress(`round ${round + 1} of ${ROUNDS}`);
      const startedMs = performance.now();
      const value = (await cpuMicros(polls)) / BATCH;
      rates.push((BATCH * 1000) / (performance.now() - startedMs));
      pairs.push({ value, baseline: (await cpuMicros(posts)) / BATCH });
    }
    await client.close();
    return [
      compared('client CPU a warm idle poll (mTLS)', 'µs', pairs, atMost(2)),
      reported('polls of one device, one after the other', '1/s', Math.max(...rates)),
    ];
  } finally {
    await pool?.close();
    await fleet.close();
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

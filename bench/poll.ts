import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { Pool } from 'undici';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import type { BareConnection } from './bare/connection.ts';
import { post } from './bare/post.ts';
import { benchDevice, qrCodes, surroundings } from './devices.ts';
import { atMost, type Bench, compared, cpuMicros, reported } from './harness.ts';
import { startLab, startProcess } from './lab-process.ts';

const BATCH = 500;
const ROUNDS = 9;

/** Bytes of a poll without push token and of an idle command (docs/protocol/06-management.md). */
export const POLL_BYTES = 11;
export const IDLE_BYTES = 26;

export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const bare = await startProcess<BareConnection>('bench/bare/server.ts', ['1']);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const fleet = new FleetStore(folder);
  const identity = bare.info.clients[0] as BareConnection['clients'][number];
  const pool = new Pool(`https://${bare.info.mutual}`, {
    connections: 1,
    pipelining: 1,
    connect: { secureContext: createSecureContext({ ca: bare.info.ca, ...identity, minVersion: 'TLSv1.3' }) } as never,
  });
  try {
    const [content] = await qrCodes(lab.info, 'poll', 1);
    const client = benchDevice(surroundings({ releaseAfterMs: 600_000 }), { index: 0, store: fleet.device(0) });
    await client.open();
    await client.activate({ kind: 'qr', content: content as string });
    const polls = async (): Promise<void> => {
      for (let i = 0; i < BATCH; i++) await client.poll();
    };
    const posts = async (): Promise<void> => {
      for (let i = 0; i < BATCH; i++) await post(pool, '/uemkit/1/device', Buffer.alloc(POLL_BYTES), IDLE_BYTES);
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
    await pool.close();
    await fleet.close();
    await Promise.all([lab.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
};

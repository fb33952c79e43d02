import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Store } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import type { UemTransport } from '@uemkit/uem-client';
import { open } from 'lmdb';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { type ActivationProfile, bareActivation } from './bare/activation.ts';
import type { BareConnection } from './bare/connection.ts';
import { benchDevice, once, qrCodes, type Surroundings, surroundings } from './devices.ts';
import { atMost, type Bench, compared, cpuMicros, median, reported } from './harness.ts';
import { startLab, startProcess } from './lab-process.ts';
import { recordingCrypto } from './recording-crypto.ts';

/** Small batches in turns: the machine changes its speed within seconds. */
const BATCH = 5;
const ROUNDS = 35;
/** A fleet activates thousands of devices in one process, so both sides are measured when their code is compiled: after 10 it is not. */
const WARM_UP = 400;

/** From the credentials to the end of the first poll with the push connection open: F1.2 to F1.5 and the registration for F5. */
async function activate(
  shared: Surroundings,
  store: Store,
  index: number,
  content: string,
  extra: Partial<Parameters<typeof benchDevice>[1]> = {},
): Promise<() => Promise<void>> {
  const client = benchDevice(shared, { index, store, ...extra });
  await client.open();
  await client.activate({ kind: 'qr', content });
  const ready = Promise.all([once(client, 'pushopen'), once(client, 'idle')]);
  client.start();
  await ready;
  return () => client.close();
}

export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const bare = await startProcess<BareConnection>('bench/bare/server.ts', [String(BATCH)]);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const fleet = new FleetStore(folder);
  const database = open<Uint8Array, string>({ path: join(folder, 'bare.mdb'), noSubdir: true, encoding: 'binary', overlappingSync: false } as Parameters<
    typeof open
  >[0]);
  try {
    const total = WARM_UP + 1 + ROUNDS * BATCH;
    progress(`${total} users with QR codes`);
    const contents = await qrCodes(lab.info, 'activation', total);
    const shared = surroundings();
    let index = 0;
    const nextContent = (): string => contents[index] as string;
    const profile = await observe(async (extra, store) => (await activate(shared, store(fleet.device(index)), index, nextContent(), extra))());
    index++;
    progress(`one activation: ${profile.requests.length} requests, ${profile.commits.length} commits, ${profile.primitives.length} crypto operations`);
    const bareContext = createSecureContext({ ca: bare.info.ca, minVersion: 'TLSv1.3' });
    const workMs = await warmUp(profile, async (i, times) => {
      await (await activate(shared, fleet.device(index), index, nextContent(), { wrap: (transport) => timed(transport, times.real) }))();
      (await bareActivation(bare.info, bareContext, profile, bare.info.clients[i % BATCH] as never, database, index, { workMs: [], took: times.bare })).close();
      index++;
    });
    progress(`the server works ${workMs.map((ms) => ms.toFixed(1)).join(', ')} ms for the answers`);
    const pairs: { value: number; baseline: number }[] = [];
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 5 === 0) progress(`rounds ${round + 1} to ${round + 5} of ${ROUNDS}`);
      const closers: (() => Promise<void>)[] = [];
      const startedMs = performance.now();
      const ours = await cpuMicros(async () => {
        for (let i = 0; i < BATCH; i++, index++) closers.push(await activate(shared, fleet.device(index), index, nextContent()));
      });
      rates.push((BATCH * 1000) / (performance.now() - startedMs));
      await Promise.all(closers.map((close) => close()));
      const sockets: { close(): void }[] = [];
      const baseline = await cpuMicros(async () => {
        for (let i = 0; i < BATCH; i++) {
          sockets.push(await bareActivation(bare.info, bareContext, profile, bare.info.clients[i] as never, database, total + round * BATCH + i, { workMs }));
        }
      });
      for (const socket of sockets) socket.close();
      pairs.push({ value: ours / BATCH, baseline: baseline / BATCH });
    }
    const crypto = nodeCrypto();
    const scrypt = await cpuMicros(async () => {
      for (let i = 0; i < 5; i++) await crypto.scrypt(new Uint8Array(32), new Uint8Array(16), { N: 32_768, r: 8, p: 1 }, 80);
    });
    return [
      compared('client CPU an activation (QR, node:crypto)', 'µs', pairs, atMost(1.3)),
      reported('activations one after the other', '1/s', Math.max(...rates)),
      reported('more with a password: scrypt', 'µs', scrypt / 5),
    ];
  } finally {
    await fleet.close();
    await database.close();
    await Promise.all([lab.stop(), bare.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Notes how long each exchange of one activation took. */
type Times = (request: number, durationMs: number) => void;

/**
 * Runs both sides, the bare server at once with its answers, and tells how much longer each exchange with the real server took when everything is compiled. The bare server
 * has to work that long: a client that has waited runs on colder caches, and the same calls cost it more.
 */
async function warmUp(profile: ActivationProfile, run: (i: number, times: { readonly real: Times; readonly bare: Times }) => Promise<void>): Promise<number[]> {
  const real = profile.requests.map((): number[] => []);
  const bare = profile.requests.map((): number[] => []);
  for (let i = 0; i < WARM_UP; i++) {
    const counts = i >= WARM_UP / 2;
    const into =
      (lists: number[][]): Times =>
      (request, durationMs) =>
        counts && lists[request]?.push(durationMs);
    await run(i, { real: into(real), bare: into(bare) });
  }
  return real.map((durations, request) => Math.max(0, median(durations) - median(bare[request] as number[])));
}

function timed(transport: UemTransport, took: Times): UemTransport {
  let request = 0;
  return {
    async exchange(exchange) {
      const begunMs = performance.now();
      const answer = await transport.exchange(exchange);
      took(request++, performance.now() - begunMs);
      return answer;
    },
    openPush: (push) => transport.openPush(push),
    release: () => transport.release(),
    close: () => transport.close(),
  };
}

/** Runs one activation with every port wrapped, and notes what went through them. */
async function observe(run: (extra: Partial<Parameters<typeof benchDevice>[1]>, store: (store: Store) => Store) => Promise<void>): Promise<ActivationProfile> {
  const requests: ActivationProfile['requests'][number][] = [];
  const commits: number[][] = [];
  let registerBytes = 0;
  const { crypto, replays } = recordingCrypto(nodeCrypto());
  const wrap = (transport: UemTransport): UemTransport => ({
    async exchange(request) {
      const answer = await transport.exchange(request);
      const mutual = request.identity !== undefined;
      requests.push({ mutual, connection: `${mutual} ${request.address}`, bytes: request.frame.length, answerBytes: answer.length });
      return answer;
    },
    async openPush(request) {
      const connection = await transport.openPush(request);
      return {
        ...connection,
        send(frame) {
          registerBytes ||= frame.length;
          connection.send(frame);
        },
        close: () => connection.close(),
        ...(connection.heard === undefined ? {} : { heard: () => connection.heard?.() ?? false }),
        ...(connection.ping === undefined ? {} : { ping: () => connection.ping?.() }),
      };
    },
    release: () => transport.release(),
    close: () => transport.close(),
  });
  await run({ crypto, wrap }, (store) => ({
    get: (key) => store.get(key),
    commit: (writes) => {
      commits.push(writes.map(({ value }) => value?.length ?? 0));
      return store.commit(writes);
    },
  }));
  return { requests, commits, primitives: replays.slice(), registerBytes };
}

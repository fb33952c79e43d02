import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import type { BareRest } from './bare/rest-server.ts';
import { inParallel } from './devices.ts';
import { atLeast, atMost, type Bench, compared, type Figure, median, reported } from './harness.ts';
import { type ServerProcess, startProcess } from './lab-process.ts';
import { authorize, residentMiB, type SeededLab, startSeededLab } from './seeded-lab.ts';

const DEVICES = 10_000;
/** Connections of the load generator, each with one request under way: many changes share a commit. */
const WIDTH = 96;
const REQUESTS = 4_000;
const ROUNDS = 5;
/** Headers that Node sets by itself. */
const OF_NODE = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'];

/** What a command writes in our store, the counters that each transaction writes again left out: command, place in the queue, counts of the queue; event, audit entry. */
const KEPT = { besides: 3, appended: 2, recordBytes: 160 } as const;

interface Subject {
  readonly server: ServerProcess<unknown>;
  readonly pool: Pool;
}

interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** CPU of the server for each, microseconds. */
  readonly cpu: number;
}

interface Asked {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** One GET and one POST of the admin REST, against `node:https` that answers the same bytes, the POST also against one that writes as much to the disk first; and all devices page by page. */
export const bench: Bench = async (progress) => {
  progress(`seeding ${DEVICES} devices`);
  let lab = await startSeededLab(DEVICES);
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const { admin, tenantId, ca } = lab.connection;
  const pools: Pool[] = [];
  const poolOf = (origin: string): Pool => {
    const pool = new Pool(origin, { connections: WIDTH, pipelining: 1, connect: { ca } });
    pools.push(pool);
    return pool;
  };
  const servers: ServerProcess<{ readonly address: string }>[] = [];
  try {
    const own = poolOf(admin);
    const json = { 'content-type': 'application/json' };
    const authorization = await authorize(lab.connection, async (url, body) => (await ask(own, 'POST', new URL(url).pathname, json, body)).text);
    const headers = { ...json, authorization };
    const device = (index: number): string =>
      `/${tenantId}/api/v1/users/${lab.userGuid}/userDevices/${(lab.devices[index % DEVICES] as SeededLab['devices'][number]).deviceId}`;
    const command = JSON.stringify({ type: 'LOCK_DEVICE', properties: { message: 'hello' } });
    const get = (pool: Pool, index: number): Promise<Asked> => ask(pool, 'GET', device(index), headers);
    const post = (pool: Pool, index: number): Promise<Asked> => ask(pool, 'POST', `${device(index)}/commands`, headers, command);

    const answers = { GET: sameAgain(await get(own, 0), 200), POST: sameAgain(await post(own, 0), 201) };
    const startBare = async (keep: BareRest['keep']): Promise<Subject> => {
      const file = join(folder, 'bare.json');
      writeFileSync(file, JSON.stringify({ key: lab.uem.key, certificate: lab.uem.certificate, answers, keep } satisfies BareRest), { mode: 0o600 });
      const server = await startProcess<{ readonly address: string }>('bench/bare/rest-server.ts', [file]);
      servers.push(server);
      return { server, pool: poolOf(`https://${server.info.address}`) };
    };
    const bare = await startBare(undefined);
    const durable = await startBare({ directory: join(folder, 'store'), ...KEPT });

    const figures: Figure[] = [];
    let next = 1;
    for (const [name, request, status] of [
      ['GET of one device', get, 200],
      ['POST of a command', post, 201],
    ] as const) {
      const load = async ({ pool, server }: Subject): Promise<Load> => {
        const first = next;
        next += REQUESTS;
        const before = server.cpuMicros();
        const startedMs = performance.now();
        await inParallel(REQUESTS, WIDTH, async (index) => {
          const answer = await request(pool, first + index);
          if (answer.status !== status) throw new Error(`${name}: ${answer.status} ${answer.text}`);
        });
        return { rate: (REQUESTS * 1_000) / (performance.now() - startedMs), cpu: (server.cpuMicros() - before) / REQUESTS };
      };
      const subjects = [{ server: lab.server, pool: own }, bare, ...(request === post ? [durable] : [])];
      for (const subject of subjects) await load(subject);
      const rounds: (readonly Load[])[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        progress(`${name}: round ${round + 1} of ${ROUNDS}`);
        const loads = [];
        for (const subject of subjects) loads.push(await load(subject));
        rounds.push(loads);
      }
      const ours = (unit: keyof Load, other: number): { readonly value: number; readonly baseline: number }[] =>
        rounds.map((loads) => ({ value: loads[0]?.[unit] as number, baseline: loads[other]?.[unit] as number }));
      figures.push(compared(`${name}, ${WIDTH} at a time`, '1/s', ours('rate', 1), atLeast(0.3)), compared('  server CPU', 'µs', ours('cpu', 1)));
      if (subjects.length < 3) continue;
      figures.push(compared('  against a bare handler that keeps as much', '1/s', ours('rate', 2)), compared('  server CPU', 'µs', ours('cpu', 2)));
    }
    progress('all devices, page by page');
    lab = await lab.restart([`--max-old-space-size=${HEAP_MIB}`]);
    figures.push(...(await pages(lab, poolOf(lab.connection.admin), headers)));
    return figures;
  } finally {
    for (const pool of pools) await pool.close();
    for (const server of servers) await server.stop();
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

async function ask(pool: Pool, method: 'GET' | 'POST', path: string, headers: Record<string, string>, body: string | null = null): Promise<Asked> {
  const response = await pool.request({ method, path, headers, body });
  return { status: response.statusCode, headers: response.headers as Record<string, string>, text: await response.body.text() };
}

/** An answer as the bare handler gives it. */
function sameAgain({ status, headers, text }: Asked, expected: number): BareRest['answers'][string] {
  if (status !== expected) throw new Error(`the lab answered ${status} ${text}`);
  return { status, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_NODE.includes(name))), body: text };
}

/** Heap that the server has for the pages: little more than it has in use without them. */
const HEAP_MIB = 64;
const PASSES = 8;

/** Passes over all devices, sorted. The heap is capped, so a server that holds on to what it lists ends; and the later passes must not add to its memory. */
async function pages({ connection, server }: SeededLab, pool: Pool, headers: Record<string, string>): Promise<readonly Figure[]> {
  const pass = async (max: number): Promise<number> => {
    let listed = 0;
    for (;;) {
      const path = `/${connection.tenantId}/api/v1/devices?max=${max}&offset=${listed}&sortBy=lastContactTime`;
      const { devices } = JSON.parse((await ask(pool, 'GET', path, headers)).text) as { readonly devices: readonly unknown[] };
      listed += devices.length;
      if (devices.length < max) return listed;
    }
  };
  const before = residentMiB(server.pid).now;
  const peaks: number[] = [];
  const times: number[] = [];
  for (let n = 0; n < PASSES; n++) {
    const startedMs = performance.now();
    const listed = await pass(1_000);
    if (listed !== DEVICES) throw new Error(`${listed} devices were listed`);
    times.push((performance.now() - startedMs) / 11);
    peaks.push(residentMiB(server.pid).peak);
  }
  return [
    reported(`one of 11 sorted pages of ${DEVICES} devices`, 'ms', median(times)),
    reported(`  server memory before, heap of ${HEAP_MIB} MiB`, 'MiB', before),
    compared(`  at most, ${PASSES} passes against 2`, 'MiB', [{ value: peaks.at(-1) as number, baseline: peaks[1] as number }], atMost(1.1)),
  ];
}

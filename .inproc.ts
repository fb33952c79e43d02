import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inParallel } from './bench/devices.ts';
import { readRoleFiles } from './packages/lab-server/src/data/role-file.ts';
import { startLab } from './packages/lab-server/src/lab.ts';
import { statePath } from './packages/lab-server/src/lab-server.ts';
import { openLmdbStore } from './packages/lab-server/src/store/lmdb-store.ts';
import { MemoryStore } from './packages/lab-server/src/store/memory-store.ts';

const method = process.argv[2] ?? 'POST';
const data = mkdtempSync('/tmp/w/rest4-p/in-');
cpSync('/tmp/w/rest4-p/data', data, { recursive: true });
const { userGuid, devices } = JSON.parse(readFileSync('/tmp/w/rest4-p/seed.json', 'utf8'));
const files = readRoleFiles(data)!;
const lab = await startLab({
  files,
  stores: {
    infrastructure: new MemoryStore(),
    uem: openLmdbStore({ directory: statePath(data, 'uem') }),
    notification: new MemoryStore(),
    noc: new MemoryStore(),
  },
});
const tenantId = files.uem.tenantId;
const body = new TextEncoder().encode(JSON.stringify({ type: 'LOCK_DEVICE', properties: { message: 'hello' } }));
const { username, password } = lab.connection.administrator;
const a = await lab.rest({
  method: 'POST',
  path: `/${tenantId}/api/v1/util/authorization`,
  query: '',
  headers: { 'content-type': 'application/json' },
  body: new TextEncoder().encode(JSON.stringify({ username, password: btoa(password), provider: 'LOCAL' })),
  source: 'x',
});
const headers = { host: 'x', 'content-type': 'application/json', authorization: a!.body, 'content-length': String(body.length) };
const dev = (i: number) => `/${tenantId}/api/v1/users/${userGuid}/userDevices/${devices[i % 10000]}`;
const NO = new Uint8Array();
const tid = process.pid;
const main = () => {
  const s = readFileSync(`/proc/self/task/${tid}/schedstat`, 'utf8');
  return Number(s.split(' ')[0]) / 1000;
};
let next = 1;
const N = 4000;
const mains: number[] = [],
  totals: number[] = [];
for (let r = 0; r < Number(process.env.ROUNDS ?? 6); r++) {
  const first = next;
  next += N;
  const m = main(),
    c = process.cpuUsage();
  await inParallel(N, 96, async (i) => {
    const x =
      method === 'GET'
        ? await lab.rest({ method, path: dev(first + i), query: '', headers, body: NO, source: '127.0.0.1' })
        : await lab.rest({ method, path: dev(first + i) + '/commands', query: '', headers, body, source: '127.0.0.1' });
    if (x!.status >= 300) throw new Error(x!.body);
    await new Promise(setImmediate);
  });
  const d = process.cpuUsage(c);
  if (r > 0) {
    mains.push((main() - m) / N);
    totals.push((d.user + d.system) / N);
  }
}
const med = (a: number[]) => [...a].sort((x, y) => x - y)[a.length >> 1]!.toFixed(1);
console.log(`${method} in process: main thread ${med(mains)} us [${mains.map((x) => x.toFixed(0)).join(' ')}], process ${med(totals)} us`);
await lab.close();
rmSync(data, { recursive: true, force: true });
process.exit(0);

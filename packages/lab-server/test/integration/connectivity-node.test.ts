import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RoleFiles } from '../../src/data/role-file.ts';
import { makeLab, startLabServer } from '../../src/lab-server.ts';
import { type RoleServer, startRoleServer } from '../../src/role-server.ts';
import type { RoleName } from '../../src/roles/role.ts';

let folder: string;
let files: RoleFiles;
const running = new Map<RoleName, RoleServer>();

async function start(role: RoleName): Promise<RoleServer> {
  const server = await startRoleServer({ file: files[role], folder: join(folder, role), directPort: 0 });
  running.set(role, server);
  return server;
}

const count = (role: RoleName, request: string, answer: string): number =>
  running
    .get(role)
    ?.journal.entries()
    .filter((entry) => entry.request === request && entry.answer === answer).length ?? 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'connectivity-node-'));
  files = await makeLab({ folder }, { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() });
});
afterAll(async () => {
  for (const server of [...running.values()].reverse()) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

it('a Connectivity Node of its own waits for UEM and NOC, makes itself known, and comes back to a NOC that was away (F10.3)', { timeout: 60_000 }, async () => {
  const wait = { interval: 50, timeout: 20_000 };
  await start('connectivity-node');
  await expect.poll(() => count('connectivity-node', 'registerProxy', 'failed'), wait).toBeGreaterThan(0);
  await start('noc');
  await start('uem');
  await expect.poll(() => count('connectivity-node', 'registerProxy', 'acknowledgement'), wait).toBe(1);
  await expect.poll(() => count('connectivity-node', 'connection', 'open'), wait).toBe(1);
  await expect.poll(() => count('noc', 'nocTenant', 'acknowledgement'), wait).toBeGreaterThan(0);
  await running.get('noc')?.close();
  await expect.poll(() => count('connectivity-node', 'connection', 'closed'), wait).toBeGreaterThan(0);
  await start('noc');
  await expect.poll(() => count('connectivity-node', 'connection', 'open'), wait).toBe(2);
});

it('a role that is no node, and a node of another lab, are not taken at the listener for nodes', { timeout: 30_000 }, async () => {
  const other = await makeLab({ folder: join(folder, 'other') }, { clock: systemClock(), crypto: nodeCrypto(), entropy: nodeEntropy() });
  const strange = { ...other['connectivity-node'], root: files.noc.root, place: files.noc.place };
  const posing = { ...files.infrastructure, role: 'connectivity-node' as const, node: other['connectivity-node'].node };
  for (const [name, { place, ...file }] of Object.entries({ strange, posing })) {
    const before = count('noc', 'connection', 'closed');
    const server = await startRoleServer({
      file: { ...file, place: { ...place, ports: { ...place.ports, proxyServices: 0 } } },
      folder: join(folder, name),
      directPort: 0,
    });
    await expect.poll(() => count('noc', 'connection', 'closed'), { timeout: 15_000 }).toBeGreaterThan(before);
    await server.close();
  }
  expect(count('noc', 'connection', 'open')).toBe(1);
});

it('the Proxy of a lab comes back to its port of Direct Connect, by which its apps know it, and goes to another one when that is taken (F11)', {
  timeout: 60_000,
}, async () => {
  const own = mkdtempSync(join(tmpdir(), 'same-port-'));
  const portOf = async (): Promise<number> => {
    const lab = await startLabServer({ folder: own, connectivityNode: true });
    await lab.connectivityNode?.ready;
    const { port } = lab.admin.proxies()[0] as { readonly port: number };
    // What UEM was told is where it listens.
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await lab.close();
    return port;
  };
  const first = await portOf();
  expect(await portOf()).toBe(first);
  const taken = createServer().listen(first, '127.0.0.1');
  await once(taken, 'listening');
  expect(await portOf()).not.toBe(first);
  taken.close();
  rmSync(own, { recursive: true, force: true });
});

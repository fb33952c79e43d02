import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import type { Clock } from '@uemkit/protocol';
import { nodeCrypto, systemClock } from '@uemkit/protocol/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { trustOfPem } from '../../src/index.ts';
import { nodeTransport, TlsContexts } from '../../src/node/index.ts';
import { type LabDevice, labDevice, next, passwordOf } from '../support/lab-device.ts';
import { testCa } from '../support/test-ca.ts';

const DAY_MS = 86_400_000;
const crypto = nodeCrypto();
const contexts = new TlsContexts();
/** Wall clock of lab and devices; TLS itself reads the machine's. */
let offsetMs = 0;
const clock: Clock = { ...systemClock(), nowMs: () => Date.now() + offsetMs };

let lab: LabServer;
const devices: LabDevice[] = [];

beforeAll(async () => {
  lab = await startLabServer({ clock, crypto, cost: { N: 16_384, r: 8, p: 1 } });
});

afterAll(async () => {
  await lab.close();
});

afterEach(async () => {
  offsetMs = 0;
  for (const { client } of devices.splice(0)) await client.close();
});

async function opened(options: { readonly clock?: Clock } = {}): Promise<LabDevice> {
  const device = labDevice({ clock: options.clock ?? clock, crypto, transport: (keyStore) => nodeTransport({ keyStore, contexts }) });
  devices.push(device);
  await device.client.open();
  return device;
}

async function activated(userId: string): Promise<LabDevice> {
  const device = await opened();
  const user = await lab.admin.createUser({ username: userId });
  const { content } = await lab.admin.createQrCode(user.guid);
  await device.client.activate({ kind: 'qr', content });
  return device;
}

/** What this process has open, as the kernel names it; a file that is closed meanwhile is left out. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}

/**
 * Established connections of this process to each listener of the lab, as the kernel of Linux counts them; other processes have labs at other addresses.
 * The kernel writes its list page by page: a socket is there twice, or not at all, when others come and go meanwhile. So two lists in a row have to agree.
 */
function socketsInUse(): Readonly<Record<string, number>> {
  for (let last = socketsSeen(), tries = 0; ; tries++) {
    const now = socketsSeen();
    if (isDeepStrictEqual(now, last) || tries === 20) return now;
    last = now;
  }
}

function socketsSeen(): Readonly<Record<string, number>> {
  const { infrastructure, activation, devices, notification } = lab.connection;
  const names = new Map(Object.entries({ infrastructure, activation, devices, notification }).map(([name, address]) => [Number(address.split(':')[1]), name]));
  const own = new Set(openFiles());
  const found: Record<string, number> = {};
  for (const line of readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, , remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const name = names.get(Number.parseInt(remote.split(':')[1] ?? '', 16));
    if (state === '01' && name !== undefined && own.delete(`socket:[${inode}]`)) found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

describe.runIf(process.platform === 'linux')('a device at rest', () => {
  it('holds one socket, the push connection, before and after it was managed', async () => {
    const device = await activated('rest@example.com');
    // The connection for polls is there for a second after the last of them: it is seen while it is in use, so that it would not be missed at rest.
    const [registered, polling] = [next(device.client, 'pushopen'), next(device.client, 'idle').then(socketsInUse)];
    const closed: unknown[] = [];
    device.client.addEventListener('pushclosed', ({ detail }) => closed.push(detail));
    device.client.start();
    await registered;
    expect(await polling).toMatchObject({ devices: 1 });
    await expect.poll(socketsInUse).toEqual({ notification: 1 });
    const deviceId = device.client.deviceId as string;
    await expect.poll(() => lab.admin.device(deviceId).pushToken).toBeDefined();
    const answering = next(device.client, 'commandanswered').then(socketsInUse);
    await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    expect(await answering).toMatchObject({ devices: 1, notification: 1 });
    await expect.poll(socketsInUse).toEqual({ notification: 1 });
    expect(closed).toEqual([]);
  });
});

describe('against a lab on real sockets', () => {
  it('activates with a password, is woken, and does what it is told', async () => {
    const device = await opened();
    const user = await lab.admin.createUser({ username: 'alice@example.com' });
    const { password } = await lab.admin.setActivationPassword(user.guid);
    await device.client.activate(passwordOf(lab, trustOfPem(lab.connection.ca), 'alice@example.com', password));
    const [registered, polled] = [next(device.client, 'pushopen'), next(device.client, 'idle')];
    device.client.start();
    await Promise.all([registered, polled]);
    const deviceId = device.client.deviceId as string;
    await expect.poll(() => lab.admin.device(deviceId).pushToken).toBeDefined();
    const answered = next(device.client, 'commandanswered');
    const { commandId } = await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' });
    await answered;
    expect(device.told('wakeup').length).toBeGreaterThan(0);
    expect(lab.admin.command(deviceId, commandId).state).toBe('done');
  });

  it('closes the connection to a server of another authority', async () => {
    const device = await opened();
    const foreign = await testCa('foreign');
    const credentials = passwordOf(lab, { roots: [foreign.root], spkiPins: [] }, 'bob@example.com', 'x');
    await expect(device.client.activate(credentials)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS', step: 'F1.3' });
  });

  it('hears that it was removed, as a verdict and not as a broken connection', async () => {
    const device = await activated('carol@example.com');
    await device.client.poll();
    await lab.admin.removeDevice(device.client.deviceId as string);
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_REVOKED', retry: 'reactivate' });
    expect(device.client.state).toBe('revoked');
  });

  it('hears that its certificate is out of date', async () => {
    const device = await activated('dave@example.com');
    offsetMs = 400 * DAY_MS;
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
    expect(device.client.state).toBe('expired');
  });

  it('works with a clock that is a day ahead or almost a day behind', async () => {
    for (const [name, skewMs] of [
      ['ahead', DAY_MS],
      ['behind', -DAY_MS + 60_000],
    ] as const) {
      const device = await opened({ clock: { ...systemClock(), nowMs: () => Date.now() + skewMs } });
      const user = await lab.admin.createUser({ username: `${name}@example.com` });
      const { content } = await lab.admin.createQrCode(user.guid);
      await device.client.activate({ kind: 'qr', content });
      await device.client.poll();
      expect(device.client.state).toBe('active');
    }
  });

  it('renews over its own connection and goes on with the new certificate', async () => {
    const device = await activated('erin@example.com');
    const renewed = next(device.client, 'renewed');
    offsetMs = 250 * DAY_MS;
    await device.client.poll();
    await renewed;
    offsetMs = 450 * DAY_MS;
    await device.client.poll();
    expect(device.client.state).toBe('active');
  });

  it('comes back after the lab broke every connection', async () => {
    const device = await activated('frank@example.com');
    const [registered, polled] = [next(device.client, 'pushopen'), next(device.client, 'idle')];
    device.client.start();
    await Promise.all([registered, polled]);
    for (const role of ['uem', 'notification'] as const) await lab.restart(role);
    await device.client.poll();
    await expect.poll(() => device.told('pushopen').length, { timeout: 20_000 }).toBeGreaterThan(1);
  });
});

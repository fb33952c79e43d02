import * as wire from '@uemkit/protocol/wire';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import type { FaultKind, FaultRule } from '../../src/faults/faults.ts';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { providerClient } from '../../src/node/provider-client.ts';
import { basic } from '../support/admin-lab.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { ask } from '../support/raw-client.ts';

let lab: LabServer;
let device: LabDevice;

beforeAll(async () => {
  lab = await startLabServer();
  const user = await lab.admin.createUser({ username: 'alice' });
  const { content } = await lab.admin.createQrCode(user.guid);
  device = new LabDevice(overHttps(lab.connection));
  expect(await device.activate(qrSecret(content))).toMatchObject({ status: 'activated' });
});
afterAll(() => lab.close());
afterEach(() => lab.faults.clear());

/** One request to the admin REST API, as a script sends it. */
async function rest(method: string, path: string, body?: unknown): Promise<unknown> {
  const { ca, admin, administrator } = lab.connection;
  const headers = { ...basic(administrator.username, administrator.password), 'content-type': 'application/json' };
  const answer = await ask(`${admin}${path}`, { ca, method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  expect(answer.status, answer.body.toString()).toBeLessThan(300);
  return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString());
}

/** A push connection of a device: its token, and the names of what it got. */
async function withPush(service: string, use: (token: Uint8Array, names: () => readonly string[]) => Promise<void>): Promise<void> {
  const { ca, notification } = lab.connection;
  const socket = new WebSocket(`wss://${notification}/uemkit/1/push`, ['uemkit.push.1'], { ca });
  const frames: wire.Frame[] = [];
  socket.on('message', (data: Buffer) => void frames.push(wire.parseFrame(new Uint8Array(data))));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(wire.pushRegister.encode({ service }));
  await expect.poll(() => frames.length).toBe(1);
  await use(wire.pushRegistered.decode(frames[0] as wire.Frame).token, () => frames.map(({ name }) => name));
  socket.terminate();
}

/** What APNs answers to the MDM push of a tenant for a token in force. */
const apnsAnswers = (status: number) => (): Promise<void> =>
  withPush('apns', async (token) => {
    const { key, certificate } = lab.providers.credentials.apns;
    const client = providerClient({ origin: lab.providers.origin, root: lab.connection.ca, key, certificate });
    const target = `/3/device/${wire.pushAddressOf(token)?.address}`;
    const answer = await client.request({ method: 'POST', target, headers: { 'apns-push-type': 'mdm' }, body: '{"mdm":"x"}', certificate: true });
    client.close();
    expect(answer.status).toBe(status);
  });

const lost = (): Promise<void> => expect(device.poll()).rejects.toMatchObject({ code: 'ECONNRESET' });
const answeredPolls = (): number => lab.journal.entries().filter(({ request, answer }) => request === 'poll' && answer === 'idle').length;

/** Every kind of fault: a rule of it, and what it does to one request on a real socket. */
const FAULTS: Readonly<Record<FaultKind, { readonly rule: Omit<FaultRule, 'kind'>; effect(): Promise<void> }>> = {
  drop: { rule: { service: 'device' }, effect: lost },
  delay: {
    rule: { service: 'device', delayMs: 50 },
    async effect() {
      const beganMs = performance.now();
      expect((await device.poll()).name).toBe('idle');
      // Timers may be a millisecond early.
      expect(performance.now() - beganMs).toBeGreaterThan(48);
    },
  },
  duplicate: {
    rule: { service: 'device' },
    async effect() {
      const before = answeredPolls();
      expect((await device.poll()).name).toBe('idle');
      expect(answeredPolls() - before).toBe(2);
    },
  },
  refuse: { rule: { service: 'device' }, effect: async () => expect(wire.alert.decode(await device.poll())).toEqual({ code: 'busy' }) },
  status: { rule: { service: 'device', status: 502 }, effect: () => expect(device.poll()).rejects.toThrow('HTTP status 502') },
  restart: { rule: { service: 'device' }, effect: lost },
  reorder: {
    rule: { service: 'wakeUp', delayMs: 50 },
    effect: () =>
      withPush('fcm', async (pushToken, names) => {
        await device.poll({ pushToken });
        const { commandId } = await lab.admin.sendCommand(device.deviceId, { type: 'LOCK_DEVICE' });
        await expect.poll(names, { timeout: 10_000 }).toEqual(['pushRegistered', 'wakeUp']);
        await lab.admin.cancelCommand(device.deviceId, commandId);
      }),
  },
  throttle: { rule: { service: 'provider' }, effect: apnsAnswers(429) },
  expire: { rule: { service: 'provider' }, effect: apnsAnswers(410) },
  expireAccess: { rule: { service: 'provider' }, effect: apnsAnswers(403) },
};

it.each(Object.keys(FAULTS) as FaultKind[])('%s is put in force, counted and ended over REST', async (kind) => {
  const { rule, effect } = FAULTS[kind];
  const { id } = (await rest('POST', '/lab/v1/faults', { kind, count: 1, ...rule })) as { id: string };
  await effect();
  expect(await rest('GET', '/lab/v1/faults')).toMatchObject({ faults: [{ id, kind, seen: 1, applied: 1 }] });
  await rest('DELETE', `/lab/v1/faults/${id}`);
  expect(await rest('GET', '/lab/v1/faults')).toEqual({ faults: [] });
  expect((await device.poll()).name).toBe('idle');
});

it('faults of the admin REST API spare the routes that end them', async () => {
  const { ca, admin, tenantId } = lab.connection;
  const ping = async (): Promise<number> => (await ask(`${admin}/${tenantId}/api/v1/util/ping`, { ca })).status;
  await rest('POST', '/lab/v1/faults', { kind: 'status', status: 503, service: 'admin' });
  expect(await ping()).toBe(503);
  await rest('DELETE', '/lab/v1/faults');
  expect(await ping()).toBe(200);
});

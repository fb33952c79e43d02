import { once } from 'node:events';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { pageApp, rawApp, typedVerification } from '../support/noc-client.ts';
import { ask } from '../support/raw-client.ts';

const PAGE = 'https://app.example';

let lab: LabServer;
let ca: string;
let port: number;
let guid: string;
beforeAll(async () => {
  lab = await startLabServer({ origins: [PAGE] });
  ca = lab.connection.ca;
  port = Number(lab.connection.noc.split(':')[1]);
  ({ guid } = await lab.admin.createUser({ username: 'ada@example.com' }));
});
afterAll(() => lab.close());

/** 0x30 with a new access key. */
async function verification(): Promise<Uint8Array> {
  const { accessKey } = await lab.admin.createAccessKey(guid);
  return typedVerification(accessKey, 'ada@example.com');
}
const WRONG = wire.nocVerify.encode({ userId: 'bob', accessKeyHash: new Uint8Array(32), appId: 'a', instanceId: new Uint8Array(16) });
const reasons = () => lab.journal.entries().flatMap(({ role, reason }) => (role === 'noc' && reason !== undefined ? [reason] : []));

describe('frames on the TLS stream', () => {
  it('are agreed on by ALPN and answered one by one, however they are cut', async () => {
    const app = await rawApp(port, ca);
    expect([app.socket.alpnProtocol, app.socket.getProtocol()]).toEqual(['uemkit-noc/1', 'TLSv1.3']);
    const frame = await verification();
    app.send(frame.subarray(0, 5));
    app.send(frame.subarray(5));
    app.send(Uint8Array.from([...WRONG, ...WRONG]));
    const names = [await app.next(), await app.next(), await app.next()].map((answer) => answer?.name);
    expect(names).toEqual(['nocProvision', 'alert', 'alert']);
    app.close();
  });

  it('the connection data leads back here', async () => {
    const app = await rawApp(port, ca);
    app.send(await verification());
    const provision = wire.nocProvision.decode((await app.next()) as wire.Frame);
    expect(provision.relayAddresses).toEqual([lab.connection.noc]);
    expect([provision.tenantId, provision.coreId]).toEqual([lab.connection.tenantId, lab.connection.coreId]);
    app.close();
  });

  it.each([
    ['bytes that are none', Uint8Array.from({ length: 40 }, (_, index) => index * 7)],
    ['a type that does not belong here', wire.poll.encode({ reason: 'request' })],
    ['a body that is announced as too long', Uint8Array.of(1, 0x33, 0, 0, 0, 1, 0, 0)],
  ])('end with an alert after %s', async (_what, bytes) => {
    const app = await rawApp(port, ca);
    app.send(bytes);
    const answer = await app.next();
    expect(wire.alert.decode(answer as wire.Frame)).toEqual({ code: 'badMessage' });
    expect(await app.next()).toBeUndefined();
  });

  it('a peer that does not wait for answers is cut off', async () => {
    const app = await rawApp(port, ca);
    app.send(Uint8Array.from(new Array(40).fill([...WRONG]).flat()));
    await app.closed;
    expect(reasons()).toContain('too many frames at once');
  });

  it('are bounded in number', async () => {
    const app = await rawApp(port, ca);
    let answered = 0;
    for (;;) {
      app.send(WRONG);
      if ((await app.next()) === undefined) break;
      answered += 1;
    }
    expect(answered).toBe(64);
  });

  it('a connection that the app leaves is forgotten', async () => {
    const app = await rawApp(port, ca);
    app.send(WRONG);
    await app.next();
    app.close();
    await app.closed;
    expect((await rawApp(port, ca)).socket.authorized).toBe(true);
  });
});

describe('a WebSocket', () => {
  it('carries one frame a message, for pages of allowed origins and for who has none', async () => {
    for (const origin of [PAGE, undefined]) {
      const app = await pageApp(lab.connection.noc, ca, origin === undefined ? {} : { origin });
      app.send(await verification());
      expect((await app.next())?.name).toBe('nocProvision');
      app.close();
    }
  });

  it.each([
    ['of another origin', { origin: 'https://other.example' }, '403'],
    ['of another path', { path: '/uemkit/1/other' }, '404'],
    ['without the subprotocol', { protocols: ['other'] }, '400'],
  ])('%s is refused', async (_what, more, status) => {
    await expect(pageApp(lab.connection.noc, ca, more)).rejects.toThrow(status);
  });

  it('answers a message that is no frame with an alert, and goes on', async () => {
    const app = await pageApp(lab.connection.noc, ca);
    app.send(new Uint8Array(3));
    app.send(await verification());
    expect(wire.alert.decode((await app.next()) as wire.Frame)).toEqual({ code: 'badMessage' });
    expect((await app.next())?.name).toBe('nocProvision');
    app.close();
  });

  it('is all that HTTP is good for here', async () => {
    expect((await ask(`https://${lab.connection.noc}/uemkit/1/noc`, { ca })).status).toBe(404);
  });
});

describe('what goes wrong on purpose', () => {
  it('a fault loses a frame with its connection, and the next one gets through', async () => {
    lab.faults.add({ kind: 'drop', role: 'noc', service: 'apps', count: 1 });
    const first = await rawApp(port, ca);
    const frame = await verification();
    first.send(frame);
    expect(await first.next()).toBeUndefined();
    const second = await rawApp(port, ca);
    second.send(frame);
    expect((await second.next())?.name).toBe('nocProvision');
    second.close();
    lab.faults.clear();
  });

  it('a restart of the NOC breaks connections and keeps keys', async () => {
    const frame = await verification();
    const app = await rawApp(port, ca);
    const closed = once(app.socket, 'close');
    await lab.restart('noc');
    await closed;
    const again = await rawApp(port, ca);
    again.send(frame);
    expect((await again.next())?.name).toBe('nocProvision');
    again.close();
  });
});

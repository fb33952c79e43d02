import { type Clock, httpSignature, toHex } from '@uemkit/protocol';
import { nodeCrypto, systemClock } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { fromPem } from '../../src/data/pem.ts';
import { type LabServer, startLabServer } from '../../src/lab-server.ts';
import { LabDevice, overHttps, qrSecret } from '../support/lab-device.ts';
import { ask, type PlainAnswer } from '../support/raw-client.ts';
import { type Changes, POLL, SigningDevice } from '../support/signing-device.ts';

const crypto = nodeCrypto();
const DAY_MS = 86_400_000;
const PAGE = 'https://app.example:8443';
/** Wall clock and monotonic clock of the lab. */
let wallMs = 0;
let monotonicMs = 0;
const clock: Clock = { ...systemClock(), nowMs: () => Date.now() + wallMs, monotonicMs: () => performance.now() + monotonicMs };

let lab: LabServer;
let devices = 0;

beforeAll(async () => {
  lab = await startLabServer({ clock, origins: [PAGE] });
});
afterAll(() => lab.close());
afterEach(() => {
  wallMs = 0;
});

/** An activated device that knows the challenge. */
async function activated(): Promise<{ readonly signing: SigningDevice; readonly device: LabDevice }> {
  const name = `signer ${++devices}`;
  const user = await lab.admin.createUser({ username: name });
  const { content } = await lab.admin.createQrCode(user.guid);
  const device = new LabDevice(overHttps(lab.connection), name);
  expect(await device.activate(qrSecret(content))).toMatchObject({ status: 'activated' });
  // The guard of signatures goes by the monotonic clock.
  const signing = new SigningDevice(device, lab.connection.ca, () => Date.now() + monotonicMs);
  await signing.greet();
  return { signing, device };
}

function frameIn(answer: PlainAnswer): wire.Frame {
  expect(answer.status).toBe(200);
  return wire.parseFrame(new Uint8Array(answer.body));
}

function lastReason(): string | undefined {
  return lab.journal
    .entries()
    .filter(({ request }) => request === 'signature')
    .at(-1)?.reason;
}

async function refusedFor(reason: RegExp, signing: SigningDevice, changes: Changes): Promise<void> {
  const answer = await signing.send(signing.sign(changes), changes.query);
  expect([answer.status, answer.body.length]).toEqual([401, 0]);
  expect(httpSignature.readChallenge(String(answer.headers['uemkit-challenge'])).epoch).toEqual(signing.epoch);
  expect(lastReason()).toMatch(reason);
}

describe('a device that signs its requests', () => {
  it('is served as over mutual TLS, and the answer is signed by UEM for this request', async () => {
    const { signing, device } = await activated();
    const request = signing.sign();
    const answer = await signing.send(request);
    expect(frameIn(answer).name).toBe('idle');
    const fields = Object.fromEntries(httpSignature.SIGNATURE_FIELDS.map((name) => [name, String(answer.headers[name])]));
    const question = {
      body: new Uint8Array(answer.body),
      fields,
      requestSignature: request.signature,
      roots: [fromPem('CERTIFICATE', lab.connection.ca)],
      nowMs: Date.now(),
    };
    expect(() => httpSignature.verifyAnswer(crypto, question)).not.toThrow();
    expect(lab.admin.device(device.deviceId).lastContactMs).toBeDefined();
    expect(lab.journal.entries().at(-1)).toMatchObject({ step: 'F5.6', request: 'poll', answer: 'idle', deviceId: device.deviceId });
  });

  it('may be reached under any host: what is signed is the address that UEM told it', async () => {
    const { signing } = await activated();
    expect(frameIn(await signing.send(signing.sign({ headers: { host: 'balancer.example' } }))).name).toBe('idle');
    await refusedFor(/ERR_CRYPTO_SIGNATURE/, signing, { targetUri: 'https://balancer.example/uemkit/1/device', headers: { host: 'balancer.example' } });
  });

  it('is refused with a challenge and without a reason when anything is wrong with the signature', async () => {
    const { signing, device } = await activated();
    const other = (await activated()).device;
    const unsigned = await signing.send({ headers: { 'content-type': 'application/vnd.uemkit.frame' }, body: POLL });
    expect([unsigned.status, unsigned.headers['www-authenticate'], unsigned.body.length]).toEqual([401, 'uemkit-signature', 0]);
    await refusedFor(/ERR_CRYPTO_SIGNATURE/, signing, { sent: wire.poll.encode({ reason: 'request' }) });
    await refusedFor(/ERR_CRYPTO_SIGNATURE/, signing, { query: '?a' });
    await refusedFor(/ERR_CRYPTO_SIGNATURE/, signing, { certificate: other.certificate });
    await refusedFor(/ERR_CERTIFICATE/, signing, { certificate: fromPem('CERTIFICATE', lab.connection.ca) });
    await refusedFor(/otherEpoch/, signing, { epoch: new Uint8Array(8) });
    await refusedFor(/outOfTime/, signing, { createdS: Math.floor(Date.now() / 1_000) - 3_600 });
    await refusedFor(/outOfTime/, signing, { createdS: Math.floor(Date.now() / 1_000) + 3_600 });
    expect(lab.admin.device(device.deviceId).lastContactMs).toBe(lab.admin.device(device.deviceId).activatedAtMs);
  });

  it('is served once for one signature, also after a restart of the role and with a clock that was set back', async () => {
    const { signing } = await activated();
    const request = signing.sign();
    expect(frameIn(await signing.send(request)).name).toBe('idle');
    const again = async (): Promise<void> => {
      expect((await signing.send(request)).status).toBe(401);
      expect(lastReason()).toMatch(/replayed|outOfTime/);
    };
    await again();
    await lab.restart('uem');
    await again();
    monotonicMs += 120_000;
    wallMs = -120_000;
    await again();
    expect(frameIn(await signing.send(signing.sign())).name).toBe('idle');
  });

  it('is told that it is too much when its requests cannot be remembered', async () => {
    const { signing } = await activated();
    const full = httpSignature.ReplayMemory.prototype.take;
    httpSignature.ReplayMemory.prototype.take = () => 'full';
    try {
      const answer = await signing.send(signing.sign());
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    } finally {
      httpSignature.ReplayMemory.prototype.take = full;
    }
  });

  it('hears the same verdicts as over mutual TLS: expired, revoked, unknown', async () => {
    const { signing, device } = await activated();
    wallMs = 400 * DAY_MS;
    expect(wire.alert.decode(frameIn(await signing.send(signing.sign()))).code).toBe('expired');
    wallMs = 0;
    await lab.admin.removeDevice(device.deviceId);
    expect(wire.alert.decode(frameIn(await signing.send(signing.sign()))).code).toBe('revoked');
    const answer = await signing.send(signing.sign({ body: Uint8Array.of(1) }));
    expect([answer.status, answer.headers['signature']]).toEqual([400, undefined]);
  });

  it('renews its certificate, and both stay good', async () => {
    const { signing, device } = await activated();
    const renewal = frameIn(await signing.send(signing.sign({ body: wire.renewRequest.encode({ csr: device.renewalRequest() }) })));
    const [renewed] = wire.renewResult.decode(renewal).certificates as [Uint8Array];
    expect(toHex(renewed)).not.toBe(toHex(device.certificate));
    for (const certificate of [renewed, device.certificate]) expect(frameIn(await signing.send(signing.sign({ certificate }))).name).toBe('idle');
  });
});

describe('pages', () => {
  const preflight = (address: string, service: string, origin: string): Promise<PlainAnswer> =>
    ask(`https://${address}/uemkit/1/${service}`, {
      ca: lab.connection.ca,
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,signature' },
    });

  it('of an allowed origin may ask every listener that a device in a page needs, without credentials', async () => {
    const { signing } = await activated();
    const { infrastructure, activation } = lab.connection;
    for (const [address, service] of [
      [infrastructure, 'discovery'],
      [activation, 'activation'],
      [signing.address, 'device'],
    ] as const) {
      const { status, headers } = await preflight(address, service, PAGE);
      expect([status, headers['access-control-allow-origin'], headers['access-control-allow-methods'], headers['vary']]).toEqual([200, PAGE, 'POST', 'origin']);
      expect(headers['access-control-allow-headers']).toBe('content-type, content-digest, signature-input, signature, uemkit-certificate');
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
    const { status, headers } = await signing.send(signing.sign({ headers: { origin: PAGE } }));
    expect([status, headers['access-control-allow-origin']]).toEqual([200, PAGE]);
    expect(headers['access-control-expose-headers']).toBe('content-digest, signature-input, signature, uemkit-certificate, uemkit-challenge, retry-after');
    const refused = await signing.send({ headers: { origin: PAGE }, body: POLL });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, PAGE]);
  });

  it.each(['https://app.example', 'https://app.example:8443.evil.example', 'http://app.example:8443', 'null'])('of origin %s are refused', async (origin) => {
    const { signing } = await activated();
    const asked = await preflight(signing.address, 'device', origin);
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    const sent = signing.sign({ headers: { origin } });
    const answer = await signing.send(sent);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    // Nothing of it counted: the signature is still fresh.
    const { origin: _origin, ...headers } = sent.headers;
    expect((await signing.send({ ...sent, headers })).status).toBe(200);
  });

  it('reach no other listener', async () => {
    expect((await preflight(lab.connection.admin.slice('https://'.length), 'device', PAGE)).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('are woken when their origin is allowed, and only then', async () => {
    const opened = (origin: string): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`wss://${lab.connection.notification}/uemkit/1/push`, ['uemkit.push.1'], { ca: lab.connection.ca, origin });
        socket.on('open', () => socket.close()).on('close', () => resolve(101));
        socket.on('unexpected-response', (request, { statusCode = 0 }) => {
          request.destroy();
          resolve(statusCode);
        });
        socket.on('error', () => {});
      });
    expect(await opened(PAGE)).toBe(101);
    expect(await opened('https://other.example')).toBe(403);
  });

  it('are none unless somebody names their origin, and an origin is what browsers write', async () => {
    const closed = await startLabServer();
    try {
      const { status } = await ask(`https://${closed.connection.infrastructure}/uemkit/1/discovery`, {
        ca: closed.connection.ca,
        method: 'OPTIONS',
        headers: { origin: PAGE },
      });
      expect(status).toBe(403);
    } finally {
      await closed.close();
    }
    for (const origin of ['*', 'https://app.example/', 'app.example', 'https://App.example']) {
      await expect(startLabServer({ origins: [origin] })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    }
    const many = Array.from({ length: 65 }, (_, at) => `https://app${at}.example`);
    await expect(startLabServer({ origins: many })).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });
});

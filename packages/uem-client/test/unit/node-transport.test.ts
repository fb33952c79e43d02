import * as wire from '@uemkit/protocol/wire';
import { MockAgent } from 'undici';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceIdentity, ExchangeRequest, Trust } from '../../src/index.ts';
import { nodeTransport, TlsContexts } from '../../src/node/index.ts';
import { FRAME_TYPE, type FrameServer, type FrameServerOptions, frameServer } from '../support/frame-server.ts';
import { type TestCa, type TestIdentity, testCa } from '../support/test-ca.ts';

const FRAME = wire.poll.encode({ reason: 'schedule' });
const ANSWER = wire.idle.encode({ pollIntervalS: 60, pollJitterS: 0, serverTimeEpochS: 1 });

let ca: TestCa;
let foreignCa: TestCa;
let server: TestIdentity;
let device: TestIdentity;
let trust: Trust;
let identity: DeviceIdentity;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  [ca, foreignCa] = await Promise.all([testCa('lab'), testCa('foreign')]);
  [server, device] = await Promise.all([ca.issue({ for: 'server' }), ca.issue({ for: 'device' })]);
  trust = { roots: [ca.root], spkiPins: [] };
  identity = { deviceId: 'd', certificates: [device.certificate], keyId: 'k' };
});

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

async function started(options: Partial<FrameServerOptions> = {}): Promise<FrameServer> {
  const running = await frameServer({ identity: server, answer: () => ({ body: ANSWER }), ...options });
  opened.push(running);
  return running;
}

function transport(options: Partial<Parameters<typeof nodeTransport>[0]> = {}): ReturnType<typeof nodeTransport> {
  const made = nodeTransport({ keyStore: { tlsKey: async () => device.key }, ...options });
  opened.push(made);
  return made;
}

function asking(address: string, more: Partial<ExchangeRequest> = {}): ExchangeRequest {
  return { address, service: 'device', frame: FRAME, trust, ...more };
}

describe('exchange', () => {
  it('sends the frame to the path of the service and gives the answer', async () => {
    const seen: string[] = [];
    const running = await started({
      answer: (body, request) => {
        seen.push(`${request.method} ${request.url} ${request.headers['content-type']} ${Buffer.from(FRAME).equals(body)}`);
        return { body: ANSWER };
      },
    });
    expect(await transport().exchange(asking(running.address, { service: 'activation' }))).toEqual(ANSWER);
    expect(seen).toEqual([`POST /uemkit/1/activation ${FRAME_TYPE} true`]);
  });

  it.each(['abc', 'host:0', 'host:99999', 'u@127.0.0.1:1', '[::1]', 'a b:1'])(
    'refuses %s as an address with a typed error, and nothing is left behind',
    async (address) => {
      await expect(transport().exchange(asking(address))).rejects.toMatchObject({ name: 'ProtocolError', code: 'ERR_USAGE_ARGUMENT' });
    },
  );

  it('joins an answer that comes in pieces', async () => {
    const large = new Uint8Array(65_544).fill(7);
    const running = await started({ answer: () => ({ body: large }) });
    expect(await transport().exchange(asking(running.address))).toEqual(large);
  });

  it.each([
    ['an unknown path', { status: 404 }, 'ERR_TRANSPORT_HTTP', { status: 404 }],
    ['an overload with a time', { status: 503, headers: { 'retry-after': '7' } }, 'ERR_REJECTED_BUSY', { retryAfterS: 7 }],
    ['an overload with a day without end', { status: 503, headers: { 'retry-after': '999999999' } }, 'ERR_REJECTED_BUSY', { retryAfterS: 86_400 }],
    ['an overload without a time', { status: 503, headers: { 'retry-after': 'soon' } }, 'ERR_REJECTED_BUSY', {}],
    ['another media type', { headers: { 'content-type': 'text/html' } }, 'ERR_TRANSPORT_HTTP', { status: 200 }],
    ['more bytes than any frame has', { body: new Uint8Array(65_545) }, 'ERR_WIRE_LIMIT', { maxAnswerBytes: 65_544 }],
  ])('turns %s into a typed error', async (_name, answer, code, details) => {
    const running = await started({ answer: () => answer });
    await expect(transport().exchange(asking(running.address))).rejects.toMatchObject({ code, details });
  });

  it('calls a refused connection a connection error', async () => {
    const running = await started();
    await running.close();
    await expect(transport().exchange(asking(running.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CONNECT' });
  });

  it('calls a connection cut before the answer closed, and asks a used connection a second time', async () => {
    let requests = 0;
    const running = await started({
      answer: () => {
        requests++;
        return requests === 1 || requests === 3 ? { body: ANSWER } : 'cut';
      },
    });
    const made = transport();
    expect(await made.exchange(asking(running.address))).toEqual(ANSWER);
    expect(await made.exchange(asking(running.address))).toEqual(ANSWER);
    expect(requests).toBe(3);
    made.release();
    await expect(made.exchange(asking(running.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
  });

  it('asks once with a frame that is not safe to repeat', async () => {
    let requests = 0;
    const running = await started({ answer: () => (++requests === 2 ? 'cut' : { body: ANSWER }) });
    const made = transport();
    await made.exchange(asking(running.address));
    await expect(made.exchange(asking(running.address, { once: true }))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    expect(requests).toBe(2);
    expect(await made.exchange(asking(running.address, { once: true }))).toEqual(ANSWER);
  });

  it('rejects with the reason of an abort and drops the connection', async () => {
    let reached: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const running = await started({
      answer: () => {
        reached?.();
        return 'hang';
      },
    });
    const abort = new AbortController();
    const asked = transport().exchange(asking(running.address, { signal: abort.signal }));
    await arrived;
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  it('refuses a call after close', async () => {
    const made = transport();
    await made.close();
    await expect(made.exchange(asking('127.0.0.1:1'))).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

describe('trust', () => {
  it('refuses a server of another authority, before a request is sent', async () => {
    let requests = 0;
    const foreign = await foreignCa.issue({ for: 'server' });
    const running = await started({
      identity: foreign,
      answer: () => {
        requests++;
        return { body: ANSWER };
      },
    });
    await expect(transport().exchange(asking(running.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    expect(requests).toBe(0);
  });

  it('refuses everybody when there is nothing to trust by', async () => {
    const running = await started();
    await expect(transport().exchange(asking(running.address, { trust: { roots: [], spkiPins: [] } }))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    expect(running.connections).toBe(0);
  });

  it('takes orders from UEM alone: another server of the same root is refused before a request is sent', async () => {
    let requests = 0;
    const running = await started({
      identity: await ca.issue({ for: 'server', role: 'infrastructure' }),
      answer: () => {
        requests++;
        return { body: ANSWER };
      },
    });
    await expect(transport().exchange(asking(running.address, { identity }))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    expect(requests).toBe(0);
    // Discovery is asked of the Infrastructure, and without an identity.
    expect(await transport().exchange(asking(running.address, { service: 'discovery' }))).toEqual(ANSWER);
  });

  it('refuses a name that is not in the certificate', async () => {
    const other = await ca.issue({ for: 'device' });
    const running = await started({ identity: other });
    await expect(transport().exchange(asking(running.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });

  it('takes a pinned key without a root, and no other key', async () => {
    const foreign = await foreignCa.issue({ for: 'server' });
    const running = await started({ identity: foreign });
    expect(await transport().exchange(asking(running.address, { trust: { roots: [], spkiPins: [server.pin, foreign.pin] } }))).toEqual(ANSWER);
    await expect(transport().exchange(asking(running.address, { trust: { roots: [], spkiPins: [server.pin] } }))).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
    });
  });

  it('wants root and pin when there are both', async () => {
    const running = await started();
    expect(await transport().exchange(asking(running.address, { trust: { roots: [ca.root], spkiPins: [server.pin] } }))).toEqual(ANSWER);
    const refused = transport().exchange(asking(running.address, { trust: { roots: [ca.root], spkiPins: [device.pin] } }));
    await expect(refused).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });

  it('asks each connection for its own pins, whatever another device of the process has found out about the same server', async () => {
    const running = await started();
    const contexts = new TlsContexts();
    const ask = (pin: Uint8Array): Promise<Uint8Array> =>
      transport({ contexts }).exchange(asking(running.address, { trust: { roots: [ca.root], spkiPins: [pin] } }));
    for (let round = 0; round < 2; round++) {
      await expect(ask(device.pin)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
      expect(await ask(server.pin)).toEqual(ANSWER);
    }
  });

  it('refuses an expired server certificate and TLS below 1.3', async () => {
    const expired = await ca.issue({ for: 'server', notAfterMs: Date.now() - 1_000 });
    const old = await started({ identity: expired });
    await expect(transport().exchange(asking(old.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    const tls12 = await started({ maxVersion: 'TLSv1.2' });
    await expect(transport().exchange(asking(tls12.address))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });
});

describe('mutual TLS', () => {
  it('shows the certificate of the device, and only to whom it is meant', async () => {
    const running = await started({ deviceRoot: ca.rootPem });
    expect(await transport().exchange(asking(running.address, { identity }))).toEqual(ANSWER);
    await expect(transport().exchange(asking(running.address))).rejects.toMatchObject({ kind: 'transport' });
  });

  it('reports a server that refuses the certificate as TLS trouble, never as a verdict', async () => {
    const running = await started({ deviceRoot: foreignCa.rootPem });
    await expect(transport().exchange(asking(running.address, { identity }))).rejects.toMatchObject({ kind: 'transport' });
  });

  it('makes one context and one connection for warm polls, closes it on release, and resumes its own session afterwards', async () => {
    const running = await started({ deviceRoot: ca.rootPem });
    const contexts = new TlsContexts();
    const made = transport({ contexts });
    for (let poll = 0; poll < 20; poll++) await made.exchange(asking(running.address, { identity }));
    expect({ made: contexts.made, connections: running.connections }).toEqual({ made: 1, connections: 1 });
    made.release();
    await expect.poll(() => running.open).toBe(0);
    await made.exchange(asking(running.address, { identity }));
    expect({ connections: running.connections, resumed: running.resumed }).toEqual({ connections: 2, resumed: 1 });

    const other = transport({ contexts });
    await other.exchange(asking(running.address, { identity: { ...identity } }));
    expect(running.resumed).toBe(1);
  });

  it('gives devices of one process one object for the same trust, and for no other', () => {
    const contexts = new TlsContexts();
    const copy = (): Trust => ({ roots: [ca.root.slice()], spkiPins: [] });
    const first = copy();
    const [one, other] = [transport({ contexts }), transport({ contexts })];
    expect(one.sharedTrust?.(first)).toBe(first);
    expect(other.sharedTrust?.(copy())).toBe(first);
    const pin = new Uint8Array(32);
    const different: readonly Trust[] = [
      { roots: [foreignCa.root], spkiPins: [] },
      { roots: [ca.root, foreignCa.root], spkiPins: [] },
      { roots: [ca.root], spkiPins: [pin] },
      { roots: [], spkiPins: [ca.root] },
      { roots: 'platform', spkiPins: [] },
      { roots: [], spkiPins: [] },
    ];
    for (const trusted of different) expect(one.sharedTrust?.(trusted)).toBe(trusted);
  });

  it('uses a new connection for a renewed certificate', async () => {
    const running = await started({ deviceRoot: ca.rootPem });
    let current = device.key;
    const made = transport({ keyStore: { tlsKey: async () => current } });
    await made.exchange(asking(running.address, { identity }));
    // The same content in another object is the same identity.
    await made.exchange(asking(running.address, { identity: { ...identity }, trust: { ...trust } }));
    expect(running.connections).toBe(1);
    const renewed = await ca.issue({ for: 'device' });
    current = renewed.key;
    await made.exchange(asking(running.address, { identity: { ...identity, certificates: [renewed.certificate] } }));
    expect({ connections: running.connections, resumed: running.resumed }).toEqual({ connections: 2, resumed: 0 });
  });
});

describe('injected dispatcher', () => {
  it('meets a fault in the middle of an answer that a loopback socket does not show', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    opened.push(agent);
    const pool = agent.get('https://uem.example:443');
    pool.intercept({ path: '/uemkit/1/device', method: 'POST' }).replyWithError(Object.assign(new Error('bad header'), { code: 'HPE_INVALID_CONSTANT' }));
    pool.intercept({ path: '/uemkit/1/device', method: 'POST' }).replyWithError(Object.assign(new Error('slow'), { code: 'UND_ERR_HEADERS_TIMEOUT' }));
    pool.intercept({ path: '/uemkit/1/device', method: 'POST' }).reply(200, Buffer.from(ANSWER), { headers: { 'content-type': FRAME_TYPE } });
    const made = transport({ dispatcher: agent });
    await expect(made.exchange(asking('uem.example:443'))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_HTTP' });
    await expect(made.exchange(asking('uem.example:443'))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT' });
    expect(await made.exchange(asking('uem.example:443'))).toEqual(ANSWER);
    agent.assertNoPendingInterceptors();
  });
});

import { type Clock, httpSignature, ProtocolError, x509 } from '@uemkit/protocol';
import { nobleCrypto } from '@uemkit/protocol/noble';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, memoryKeyStore, seededEntropy } from '@uemkit/protocol/testing';
import type * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ExchangeRequest, fetchTransport, type UemTransport } from '../../src/index.ts';
import { deviceAddressOf } from '../../src/state/active-device.ts';

/** The other end is a function that holds the protocol's own verifier and UEM's key; test/browser has the lab on real TLS. */

const crypto = nodeCrypto();
const NOW_MS = Date.UTC(2026, 0, 15);
const FRAME_TYPE = 'application/vnd.uemkit.frame';
const ANSWER = Uint8Array.of(7, 7);
const EPOCH = new Uint8Array(8).fill(9);
const TARGET = 'https://uem.example:8443/uemkit/1/device';

const scalars = { root: seededEntropy('root').randomBytes(32), uem: seededEntropy('uem').randomBytes(32) };

function issued(publicKey: Uint8Array, purpose: Parameters<typeof x509.certificateInfo>[1]['purpose']): Uint8Array {
  const issuer = { commonName: 'Root', publicKey: crypto.p256PublicKey(scalars.root) };
  const [notBeforeMs, notAfterMs] = [NOW_MS - 86_400_000, NOW_MS + 400 * 86_400_000];
  const info = x509.certificateInfo(crypto, { serial: Uint8Array.of(9), issuer, commonName: 'Root', publicKey, notBeforeMs, notAfterMs, purpose });
  return x509.certificate(info, crypto.p256Sign(scalars.root, info));
}

const leaf = { kind: 'leaf', dnsNames: [], ipAddresses: [] } as const;
const root = issued(crypto.p256PublicKey(scalars.root), { kind: 'authority', pathLength: 0 });
const uem = issued(crypto.p256PublicKey(scalars.uem), { ...leaf, usages: ['serverAuth'], uris: ['urn:uemkit:role:uem'] });
const keyStore = memoryKeyStore(crypto, seededEntropy('device keys'));
const device = issued(await keyStore.publicKey('k'), { ...leaf, usages: ['clientAuth'], uris: ['urn:uuid:d'] });

const identity = { deviceId: 'd', certificates: [device], keyId: 'k' };
const trust = { roots: [root], spkiPins: [new Uint8Array(32)] };

/** UEM as these tests need it. */
class Server {
  readonly proofs: httpSignature.RequestProof[] = [];
  requests = 0;
  /** Seconds. */
  nowS = NOW_MS / 1_000;
  alwaysRefuses = false;
  challenge: () => Record<string, string> = () => ({ 'uemkit-challenge': httpSignature.writeChallenge({ epoch: EPOCH, nowS: this.nowS }) });
  answer: (headers: Record<string, string>) => Response = (headers) => new Response(ANSWER, { headers: { 'content-type': FRAME_TYPE, ...headers } });
  readonly #memory = new httpSignature.ReplayMemory({ epoch: EPOCH });

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.requests += 1;
    expect([url, init.method, init.credentials, init.redirect]).toEqual([TARGET, 'POST', 'omit', 'error']);
    const proof = httpSignature.verifyRequest(crypto, {
      targetUri: TARGET,
      body: init.body as Uint8Array,
      fields: init.headers as unknown as httpSignature.ReceivedFields,
      roots: [root],
    });
    this.proofs.push(proof);
    if (this.alwaysRefuses || this.#memory.take(proof, this.nowS) !== 'fresh') return new Response(null, { status: 401, headers: this.challenge() });
    const prepared = httpSignature.prepareAnswer(crypto, { body: ANSWER, certificate: uem, createdS: this.nowS, requestSignature: proof.signature });
    return this.answer({ ...prepared.fields(crypto.p256Sign(scalars.uem, prepared.base)) });
  };
}

let server: Server;
let clock: Clock & { advance(ms: number): Promise<void> };
let transport: UemTransport;
beforeEach(() => {
  server = new Server();
  clock = fakeClock(NOW_MS);
  transport = fetchTransport({
    // `fetch` is given the address as it is; the target that is signed is in lower case.
    fetch: (url, init) => server.fetch(url.replace('UEM', 'uem'), init),
    security: { kind: 'signed', crypto: nobleCrypto(), clock, entropy: seededEntropy('nonces'), keyStore },
  });
});

function asking(more: Partial<ExchangeRequest> = {}): ExchangeRequest {
  return { address: 'UEM.example:8443', service: 'device', frame: Uint8Array.of(1, 2), trust, identity, ...more };
}

describe('signed requests of a device', () => {
  it('cost one more round trip at first, and none after that', async () => {
    expect(transport.proof).toBe('signature');
    expect(await transport.exchange(asking())).toEqual(ANSWER);
    expect(server.requests).toBe(2);
    expect(await transport.exchange(asking())).toEqual(ANSWER);
    expect(server.requests).toBe(3);
    expect(new Set(server.proofs.map(({ nonce }) => nonce)).size).toBe(3);
    expect(server.proofs.map(({ epoch }) => epoch[0])).toEqual([0, 9, 9]);
  });

  it('go by the time of the server, whatever the clock of the device says', async () => {
    server.nowS += 30 * 86_400;
    expect(await transport.exchange(asking())).toEqual(ANSWER);
    await clock.advance(90_000);
    server.nowS += 90;
    expect(await transport.exchange(asking())).toEqual(ANSWER);
    expect(server.requests).toBe(3);
    expect(server.proofs.at(-1)?.createdS).toBe(server.nowS);
  });

  it('are trouble with the transport, and no verdict, when the server refuses twice or says nothing useful', async () => {
    server.alwaysRefuses = true;
    await expect(transport.exchange(asking())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_HTTP', details: { status: 401 } });
    expect(server.requests).toBe(2);
    for (const challenge of [{}, { 'uemkit-challenge': 'nonsense' }]) {
      server.requests = 0;
      server.challenge = () => challenge as Record<string, string>;
      await expect(transport.exchange(asking())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_HTTP' });
      expect(server.requests).toBe(1);
    }
  });

  it.each<[string, (headers: Record<string, string>) => Response]>([
    ['another body', (headers) => new Response(Uint8Array.of(8), { headers: { 'content-type': FRAME_TYPE, ...headers } })],
    ['no signature', () => new Response(ANSWER, { headers: { 'content-type': FRAME_TYPE } })],
  ])('get no answer but that of UEM: %s', async (_name, answer) => {
    server.answer = answer;
    await expect(transport.exchange(asking())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
  });

  it('get no answer of an older request, and none that other roots vouch for', async () => {
    let first: Record<string, string> | undefined;
    const whole = server.answer;
    server.answer = (headers) => {
      first ??= headers;
      return whole(first);
    };
    await transport.exchange(asking());
    await expect(transport.exchange(asking())).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    server.answer = whole;
    for (const roots of [[device], 'platform'] as const) {
      await expect(transport.exchange(asking({ trust: { roots, spkiPins: [] } }))).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    }
  });

  it('need a certificate, and a key store that works', async () => {
    await expect(transport.exchange(asking({ identity: { ...identity, certificates: [] } }))).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
    const broken = { sign: () => Promise.reject(new ProtocolError('ERR_STORE_READ', 'the key cannot be read')) };
    const locked = fetchTransport({ fetch: server.fetch, security: { kind: 'signed', crypto, clock, entropy: seededEntropy('n'), keyStore: broken } });
    await expect(locked.exchange(asking())).rejects.toMatchObject({ code: 'ERR_STORE_READ' });
    expect(server.requests).toBe(0);
  });
});

describe('the rest of a device in a page', () => {
  it('discovers under the roots of the platform only, and activates under any, for the secret protects that', async () => {
    const sent: RequestInit[] = [];
    const plain = fetchTransport({
      fetch: async (_url, init) => {
        sent.push(init);
        return new Response(ANSWER, { headers: { 'content-type': FRAME_TYPE } });
      },
      security: { kind: 'signed', crypto, clock, entropy: seededEntropy('n'), keyStore },
    });
    const { identity: _identity, ...unsigned } = asking();
    await expect(plain.exchange({ ...unsigned, service: 'discovery' })).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    expect(await plain.exchange({ ...unsigned, service: 'discovery', trust: { roots: 'platform', spkiPins: [] } })).toEqual(ANSWER);
    expect(await plain.exchange({ ...unsigned, service: 'activation' })).toEqual(ANSWER);
    expect(sent.map(({ headers }) => headers)).toEqual(Array(2).fill({ 'content-type': FRAME_TYPE }));
  });

  it('asks the listener for its kind of proof', () => {
    const configuration = { deviceAddress: 'uem.example:1', signedDeviceAddress: 'uem.example:2' } as wire.DeviceConfiguration;
    const { signedDeviceAddress: _address, ...without } = configuration;
    const certificate = fetchTransport({ fetch: server.fetch, security: 'delegated' });
    expect([deviceAddressOf(configuration, certificate), deviceAddressOf(configuration, transport)]).toEqual(['uem.example:1', 'uem.example:2']);
    expect(() => deviceAddressOf(without, transport)).toThrow(expect.objectContaining({ code: 'ERR_PEER_MISMATCH' }));
    expect(deviceAddressOf(without, certificate)).toBe('uem.example:1');
  });
});

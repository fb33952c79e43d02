import { generateKeyPairSync, sign } from 'node:crypto';
import { fromBase64url, toBase64url, toHex, x509 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeRoot, makeTopicCertificate } from '../../src/data/lab-certificates.ts';
import { readPrivateKeyPem } from '../../src/data/pem.ts';
import type { NotificationRole } from '../../src/roles/notification/notification.ts';
import { topicUri } from '../../src/roles/notification/providers/apns-sender.ts';
import type { ProviderRequest, ProviderResponse } from '../../src/roles/notification/providers/provider.ts';
import { apnsRequest, IDENTITIES, json, ORIGIN, PushBench, ROOT, START_MS, strangeToken } from '../support/push-bench.ts';
import type { PushDevice } from '../support/push-device.ts';

const crypto = nodeCrypto();
const { apns, apnsApp, fcm, wns, bb10 } = IDENTITIES.credentials;
let bench: PushBench;
let role: NotificationRole;

beforeEach(async () => {
  bench = new PushBench();
  role = await bench.start();
});

const body = ({ body: text }: ProviderResponse): unknown => (text === '' ? '' : JSON.parse(text));
const ask = (request: Partial<ProviderRequest> & { readonly target: string }): Promise<ProviderResponse> => bench.request(role, request);
const addressOf = ({ token }: PushDevice): string => wire.pushAddressOf(token)?.address ?? '';
const form = (fields: Record<string, string>): Pick<ProviderRequest, 'body' | 'headers'> => ({
  body: new TextEncoder().encode(new URLSearchParams(fields).toString()),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});
const jwt = (header: object, claims: object, key: string): string => {
  const text = [header, claims].map((part) => toBase64url(new TextEncoder().encode(JSON.stringify(part)))).join('.');
  return `${text}.${toBase64url(crypto.p256Sign(readPrivateKeyPem(key).scalar, new TextEncoder().encode(text)))}`;
};

describe('APNs', () => {
  let device: PushDevice;
  const push = async (change: Partial<ProviderRequest> & { readonly more?: Record<string, string | undefined> } = {}): Promise<[number, unknown]> => {
    const { more = {}, ...rest } = change;
    const answer = await ask({ ...apnsRequest(device.token, bench.clock.nowMs(), { headers: more }), ...rest });
    return [answer.status, body(answer)];
  };

  beforeEach(async () => {
    device = await bench.connected(role);
  });

  it('answers 200 with the id of the notification and an empty body', async () => {
    const answer = await ask(apnsRequest(device.token, START_MS, { id: 7 }));
    expect(answer).toMatchObject({ status: 200, headers: { 'apns-id': '07070707-0707-0707-0707-070707070707' }, body: '' });
    const unnamed = await ask(apnsRequest(device.token, START_MS, { headers: { 'apns-id': undefined } }));
    expect(unnamed.headers['apns-id']).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
    expect(device.wakeUps).toHaveLength(2);
  });

  it.each<[string, Partial<ProviderRequest> & { readonly more?: Record<string, string | undefined> }, number, string]>([
    ['an id that is none', { more: { 'apns-id': 'x' } }, 400, 'BadMessageId'],
    ['a time that is none', { more: { 'apns-expiration': 'soon' } }, 400, 'BadExpirationDate'],
    ['another priority', { more: { 'apns-priority': '11' } }, 400, 'BadPriority'],
    ['a long collapse id', { more: { 'apns-collapse-id': 'ä'.repeat(33) } }, 400, 'BadCollapseId'],
    ['another push type', { more: { 'apns-push-type': 'text' } }, 400, 'InvalidPushType'],
    ['a push type that is not for MDM', { more: { 'apns-push-type': 'alert' } }, 400, 'InvalidPushType'],
    ['another topic', { more: { 'apns-topic': apnsApp.topic } }, 400, 'TopicDisallowed'],
    ['no payload', { body: new Uint8Array(0) }, 400, 'PayloadEmpty'],
    ['an empty payload', { body: json({}) }, 400, 'PayloadEmpty'],
    ['a payload that is no JSON', { body: new Uint8Array(9) }, 400, 'PayloadEmpty'],
    ['a payload over 4 KiB', { body: json({ mdm: 'x'.repeat(4_096) }) }, 413, 'PayloadTooLarge'],
    ['a payload over everything', { body: new Uint8Array(20_000) }, 413, 'PayloadTooLarge'],
    ['no device token', { target: '/3/device/' }, 400, 'MissingDeviceToken'],
    ['a device token that nobody has', { target: `/3/device/${'0'.repeat(64)}` }, 400, 'BadDeviceToken'],
    ['another path', { target: '/3/device/a/b' }, 404, 'BadPath'],
    ['another method', { method: 'GET' }, 405, 'MethodNotAllowed'],
    ['HTTP/1.1', { http: '1.1' }, 426, 'HttpVersionNotSupported'],
    ['neither certificate nor token', { certificate: undefined }, 403, 'MissingProviderToken'],
    ['a certificate of another root', { certificate: 'untrusted' }, 403, 'BadCertificate'],
    ['bytes that are no certificate', { certificate: new Uint8Array(9) }, 403, 'BadCertificate'],
    ['a certificate without a topic', { certificate: ROOT.certificate }, 403, 'BadCertificate'],
  ])('refuses %s', async (_what, change, status, reason) => {
    expect(await push(change)).toEqual([status, { reason }]);
    expect(device.wakeUps).toEqual([]);
  });

  it('with a certificate of several topics a sender says which; with one it need not', async () => {
    const { scalar, publicKey, certificate: root } = ROOT;
    const purpose = { kind: 'leaf', usages: ['clientAuth'], uris: [apns.topic, apnsApp.topic].map(topicUri), dnsNames: [], ipAddresses: [] } as const;
    const issuer = { commonName: x509.readCertificate(root).commonName, publicKey };
    const times = { notBeforeMs: START_MS - 1_000, notAfterMs: START_MS + 86_400_000 };
    // Whose key it is does not matter here: TLS has seen the proof of it before.
    const info = x509.certificateInfo(crypto, { issuer, commonName: 'x', publicKey, purpose, serial: new Uint8Array(16).fill(1), ...times });
    const certificate = x509.certificate(info, crypto.p256Sign(scalar, info));
    expect(await push({ certificate })).toEqual([400, { reason: 'MissingTopic' }]);
    expect(device.wakeUps).toEqual([]);
    expect(await push({ certificate, more: { 'apns-topic': apns.topic } })).toEqual([200, '']);
    expect(await push()).toEqual([200, '']);
    expect(device.wakeUps).toHaveLength(2);
  });

  it('refuses a certificate of another root, and one whose time is over', async () => {
    const maker = { crypto, entropy: seededEntropy('others'), nowMs: START_MS };
    const stranger = makeTopicCertificate(maker, makeRoot(maker, 'Test root'), 'x', topicUri(apns.topic));
    expect(await push({ certificate: stranger.certificate })).toEqual([403, { reason: 'BadCertificate' }]);
    bench.clock.jumpWallClock(11 * 365 * 86_400_000);
    expect(await push()).toEqual([403, { reason: 'BadCertificate' }]);
  });

  it('refuses a certificate whose time ends on an open connection', async () => {
    const { certificate } = apnsRequest(device.token, START_MS);
    expect((await push({ certificate }))[0]).toBe(200);
    bench.clock.jumpWallClock(11 * 365 * 86_400_000);
    expect(await push({ certificate })).toEqual([403, { reason: 'BadCertificate' }]);
  });

  it('tells since when a token is gone', async () => {
    await bench.clock.advance(5_000);
    await role.revokeToken(device.token);
    await bench.clock.advance(5_000);
    expect(await push()).toEqual([410, { reason: 'Unregistered', timestamp: START_MS + 5_000 }]);
  });

  it('passes over what the MDM daemon of a device would pass over', async () => {
    expect(await push({ body: json({ aps: { alert: 'hello' } }) })).toEqual([200, '']);
    expect(await push({ body: json({ mdm: 'magic', more: 1 }) })).toEqual([200, '']);
    expect(device.wakeUps).toEqual([]);
  });

  it('keeps a notification without a time for 30 days and no longer, one whose time is over not at all', async () => {
    device.connection.closed();
    await push({ more: { 'apns-expiration': undefined } });
    bench.clock.jumpWallClock(30 * 86_400_000 - 1);
    let back = await bench.connected(role, device.token);
    expect(back.wakeUps).toHaveLength(1);
    for (const headers of [{ 'apns-expiration': undefined }, { 'apns-expiration': String(Math.floor(bench.clock.nowMs() / 1_000) + 99 * 86_400) }]) {
      back.connection.closed();
      const { status } = await ask(apnsRequest(device.token, bench.clock.nowMs(), { headers: { ...headers } }));
      bench.clock.jumpWallClock(30 * 86_400_000);
      back = await bench.connected(role, device.token);
      expect([status, back.wakeUps]).toEqual([200, []]);
    }
    const other = await bench.connected(role);
    other.connection.closed();
    await ask(apnsRequest(other.token, bench.clock.nowMs(), { expiresInS: -5 }));
    expect((await bench.connected(role, other.token)).wakeUps).toEqual([]);
  });

  it('keeps the newest notification of a device that is away, with whatever collapse id', async () => {
    device.connection.closed();
    for (const [id, collapseId] of [
      [1, undefined],
      [2, 'a'],
      [3, 'b'],
      [4, 'a'],
    ] as const) {
      const request = apnsRequest(device.token, bench.clock.nowMs(), { id, headers: { 'apns-collapse-id': collapseId } });
      expect((await ask(request)).status).toBe(200);
    }
    const back = await bench.connected(role, device.token);
    expect(back.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([4]);
  });

  it('is over the limit of a device after so many in a minute', async () => {
    role = await bench.start({ limits: { perDevicePerMinute: 2 } });
    const again = await bench.connected(role, device.token);
    for (const _ of [1, 2]) expect((await push())[0]).toBe(200);
    expect(await push()).toEqual([429, { reason: 'TooManyRequests' }]);
    await bench.clock.advance(60_000);
    expect((await push())[0]).toBe(200);
    expect(again.wakeUps).toHaveLength(3);
  });

  describe('with a provider token', () => {
    const at = (iatMs: number, change: { readonly kid?: string | undefined; readonly alg?: string; readonly iss?: string; readonly key?: string } = {}) =>
      jwt(
        { alg: change.alg ?? 'ES256', kid: 'kid' in change ? change.kid : apnsApp.keyId },
        { iss: change.iss ?? apnsApp.teamId, iat: Math.floor(iatMs / 1_000) },
        change.key ?? apnsApp.key,
      );
    const app = async (token: string, headers: Record<string, string | undefined> = {}): Promise<[number, unknown]> => {
      const phone = await bench.connected(role, undefined, 'apns', apnsApp.topic);
      const more = { authorization: `bearer ${token}`, 'apns-topic': apnsApp.topic, 'apns-push-type': 'background', ...headers };
      const answer = await ask({ ...apnsRequest(phone.token, bench.clock.nowMs(), { headers: more }), certificate: undefined, body: json({ aps: {} }) });
      return [answer.status, body(answer)];
    };

    it('wakes a device of the topic', async () => {
      expect(await app(at(START_MS))).toEqual([200, '']);
    });

    it.each<[string, () => string, Record<string, string | undefined>, number, string]>([
      ['one that is over an hour old', () => at(START_MS - 3_601_000), {}, 403, 'ExpiredProviderToken'],
      ['one of the future', () => at(START_MS + 120_000), {}, 403, 'InvalidProviderToken'],
      ['one of another team', () => at(START_MS, { iss: 'ABCDEFGHIJ' }), {}, 403, 'InvalidProviderToken'],
      ['one of another key', () => at(START_MS, { key: fcm.key }), {}, 403, 'InvalidProviderToken'],
      ['one without a key id', () => at(START_MS, { kid: undefined }), {}, 403, 'InvalidProviderToken'],
      ['one with another algorithm', () => at(START_MS, { alg: 'none' }), {}, 403, 'InvalidProviderToken'],
      ['one that is none', () => 'a.b.c', {}, 403, 'InvalidProviderToken'],
      ['no topic', () => at(START_MS), { 'apns-topic': undefined }, 400, 'MissingTopic'],
      ['the topic of MDM', () => at(START_MS), { 'apns-topic': apns.topic }, 400, 'TopicDisallowed'],
    ])('refuses %s', async (_what, token, headers, status, reason) => {
      expect(await app(token(), headers)).toEqual([status, { reason }]);
    });

    it('is renewed too often after so many in twenty minutes', async () => {
      const first = at(START_MS);
      for (const token of [first, ...Array.from({ length: 15 }, (_, index) => at(START_MS - index * 1_000))]) expect((await app(token))[0]).toBe(200);
      expect(await app(at(START_MS - 100_000))).toEqual([429, { reason: 'TooManyProviderTokenUpdates' }]);
      expect((await app(first))[0]).toBe(200);
    });
  });
});

describe('FCM', () => {
  let device: PushDevice;
  let access: string;
  const SEND = `/v1/projects/${fcm.projectId}/messages:send`;
  const assertion = (claims: object = {}, key = fcm.key, keyId = fcm.keyId): string => {
    const iat = Math.floor(bench.clock.nowMs() / 1_000);
    const own = { iss: fcm.clientEmail, aud: `${ORIGIN}/token`, scope: 'https://www.googleapis.com/auth/firebase.messaging', iat, exp: iat + 3_600 };
    return jwt({ alg: 'ES256', typ: 'JWT', kid: keyId }, { ...own, ...claims }, key);
  };
  const grant = (text: string, type = 'urn:ietf:params:oauth:grant-type:jwt-bearer') =>
    ask({ target: '/token', ...form({ grant_type: type, assertion: text }) });
  const send = (message: object, headers: Record<string, string> = { authorization: `Bearer ${access}` }, target = SEND) =>
    ask({ target, headers, body: json(message) });
  const told = async (message: object): Promise<[number, unknown]> => {
    const answer = await send(message);
    const { error } = body(answer) as { error?: { status: string; details?: { errorCode?: string }[] } };
    return [answer.status, error?.details?.[0]?.errorCode ?? error?.status];
  };
  const to = (address: string, android: object = {}): object => ({ message: { token: address, data: {}, android } });

  beforeEach(async () => {
    device = await bench.connected(role, undefined, 'fcm');
    access = (body(await grant(assertion())) as { access_token: string }).access_token;
  });

  it('gives access for an hour to a service account', async () => {
    expect(body(await grant(assertion()))).toEqual({ access_token: expect.stringMatching(/^ya29\./), expires_in: 3_599, token_type: 'Bearer' });
    expect(await told(to(addressOf(device)))).toEqual([200, undefined]);
    await bench.clock.advance(3_599_000);
    expect(await told(to(addressOf(device)))).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('takes no access token that somebody else has made, or whose end was changed', async () => {
    const forged = (change: (bytes: Uint8Array) => void): string => {
      const bytes = fromBase64url(access.slice('ya29.'.length));
      change(bytes);
      return `ya29.${toBase64url(bytes)}`;
    };
    expect((await send(to(addressOf(device)), { authorization: `Bearer ${forged(() => {})}` })).status).toBe(200);
    for (const at of [7, 8, 39]) {
      const authorization = `Bearer ${forged((bytes) => bytes.set([(bytes[at] as number) ^ 1], at))}`;
      expect((await send(to(addressOf(device)), { authorization })).status).toBe(401);
    }
  });

  it.each<[string, () => string, string]>([
    ['of another account', () => assertion({ iss: 'nobody@example.com' }), 'invalid_grant'],
    ['signed by another key', () => assertion({}, apnsApp.key), 'invalid_grant'],
    ['with another key id', () => assertion({}, fcm.key, 'other'), 'invalid_grant'],
    ['for another audience', () => assertion({ aud: 'https://example.com' }), 'invalid_grant'],
    ['for an audience that no text can be made of', () => assertion({ aud: { toString: 1, valueOf: 1 } }), 'invalid_grant'],
    ['that has run out', () => assertion({ iat: START_MS / 1_000 - 7_200, exp: START_MS / 1_000 - 3_600 }), 'invalid_grant'],
    ['that is good for longer than an hour', () => assertion({ exp: START_MS / 1_000 + 7_200 }), 'invalid_grant'],
    ['of the future', () => assertion({ iat: START_MS / 1_000 + 900, exp: START_MS / 1_000 + 960 }), 'invalid_grant'],
    ['without a time', () => assertion({ iat: 'now' }), 'invalid_grant'],
    ['for another scope', () => assertion({ scope: 'https://www.googleapis.com/auth/drive' }), 'invalid_scope'],
    ['that is none', () => 'x', 'invalid_grant'],
  ])('gives no access for an assertion %s', async (_what, text, error) => {
    expect(await grant(text())).toMatchObject({ status: 400, body: expect.stringContaining(`"error":"${error}"`) });
  });

  it('gives no access by another grant, method or media type', async () => {
    expect(body(await grant(assertion(), 'password'))).toMatchObject({ error: 'unsupported_grant_type' });
    expect((await ask({ target: '/token', method: 'GET' })).status).toBe(405);
    expect(body(await ask({ target: '/token', body: json({}) }))).toMatchObject({ error: 'invalid_request' });
  });

  it('takes RS256 only from a key that is RSA', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const account = {
      projectId: 'rsa',
      clientEmail: 'rsa@example.com',
      keys: [{ keyId: 'r', publicKey: publicKey.export({ format: 'pem', type: 'spki' }) as string }],
    };
    role = await bench.start({ accounts: { ...IDENTITIES.accounts, fcm: [...IDENTITIES.accounts.fcm, account] } });
    const iat = START_MS / 1_000;
    const claims = {
      iss: account.clientEmail,
      aud: 'https://oauth2.googleapis.com/token',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      iat,
      exp: iat + 60,
    };
    const signed = (alg: string): string => {
      const text = [{ alg, kid: 'r' }, claims].map((part) => toBase64url(new TextEncoder().encode(JSON.stringify(part)))).join('.');
      return `${text}.${toBase64url(new Uint8Array(sign('sha256', Buffer.from(text), privateKey)))}`;
    };
    expect((await grant(signed('RS256'))).status).toBe(200);
    expect((await grant(signed('ES256'))).status).toBe(400);
  });

  it.each<[string, () => object, number, string]>([
    ['no message', () => ({}), 400, 'INVALID_ARGUMENT'],
    ['a field that there is not', () => ({ ...to(addressOf(device)), other: 1 }), 400, 'INVALID_ARGUMENT'],
    ['a field of the message that there is not', () => ({ message: { token: addressOf(device), other: 1 } }), 400, 'INVALID_ARGUMENT'],
    ['a topic', () => ({ message: { topic: 'news' } }), 400, 'INVALID_ARGUMENT'],
    ['no token', () => ({ message: { data: {} } }), 400, 'INVALID_ARGUMENT'],
    ['data that is no map', () => ({ message: { token: addressOf(device), data: [] } }), 400, 'INVALID_ARGUMENT'],
    ['data that is no text', () => ({ message: { token: addressOf(device), data: { a: 1 } } }), 400, 'INVALID_ARGUMENT'],
    ['a reserved key', () => ({ message: { token: addressOf(device), data: { 'google.a': '1' } } }), 400, 'INVALID_ARGUMENT'],
    ['data over 4 KiB', () => ({ message: { token: addressOf(device), data: { a: 'x'.repeat(4_096) } } }), 400, 'INVALID_ARGUMENT'],
    ['a time to live that is none', () => to(addressOf(device), { ttl: '10' }), 400, 'INVALID_ARGUMENT'],
    ['a time to live over four weeks', () => to(addressOf(device), { ttl: '2419201s' }), 400, 'INVALID_ARGUMENT'],
    ['another priority', () => to(addressOf(device), { priority: 'LOW' }), 400, 'INVALID_ARGUMENT'],
    ['a priority in a list', () => to(addressOf(device), { priority: ['HIGH'] }), 400, 'INVALID_ARGUMENT'],
    ['a priority that no text can be made of', () => to(addressOf(device), { priority: { toString: 1, valueOf: 1 } }), 400, 'INVALID_ARGUMENT'],
    ['a notification that is no map', () => ({ message: { token: addressOf(device), notification: 'x' } }), 400, 'INVALID_ARGUMENT'],
    ['a notification of maps', () => ({ message: { token: addressOf(device), notification: { title: { a: 1 } } } }), 400, 'INVALID_ARGUMENT'],
    ['a collapse key that is no text', () => to(addressOf(device), { collapse_key: 1 }), 400, 'INVALID_ARGUMENT'],
    ['settings that are no map', () => ({ message: { token: addressOf(device), android: 'x' } }), 400, 'INVALID_ARGUMENT'],
    ['a token that is none', () => to('x'), 400, 'INVALID_ARGUMENT'],
    ['a token that nobody has', () => to(`${'a'.repeat(22)}:APA91b${'b'.repeat(134)}`), 404, 'UNREGISTERED'],
  ])('refuses %s', async (_what, message, status, code) => {
    expect(await told(message())).toEqual([status, code]);
    expect(device.wakeUps).toEqual([]);
  });

  it('refuses bodies that are no JSON, other paths, other projects, no access, tokens of others, and tokens that are gone', async () => {
    const authorization = `Bearer ${access}`;
    expect((await ask({ target: SEND, headers: { authorization }, body: new Uint8Array(5) })).status).toBe(400);
    expect((await ask({ target: SEND, headers: { authorization }, body: new Uint8Array(20_000) })).status).toBe(400);
    const deep = `{"message":{"token":"${addressOf(device)}","notification":${'['.repeat(8_000)}${']'.repeat(8_000)}}}`;
    expect((await ask({ target: SEND, headers: { authorization }, body: new TextEncoder().encode(deep) })).status).toBe(400);
    expect((await ask({ target: SEND, method: 'GET', headers: { authorization } })).status).toBe(404);
    expect((await send(to(addressOf(device)), { authorization }, '/v1/projects/a/b')).status).toBe(404);
    expect((await send(to(addressOf(device)), { authorization }, '/v1/projects/other/messages:send')).status).toBe(403);
    for (const wrong of [
      {},
      { authorization: 'Basic eA==' },
      { authorization: 'Bearer ya29.x' },
      { authorization: 'Bearer EgAx' },
      { authorization: `${authorization}x` },
    ]) {
      expect((await send(to(addressOf(device)), wrong as Record<string, string>)).status).toBe(401);
    }
    await role.revokeToken(device.token);
    expect(await told(to(addressOf(device)))).toEqual([404, 'UNREGISTERED']);
  });

  it('sends nothing when it is only to check', async () => {
    expect(body(await send({ ...to(addressOf(device)), validate_only: true }))).toEqual({ name: `projects/${fcm.projectId}/messages/fake_message_id` });
    expect(device.wakeUps).toEqual([]);
  });

  it('keeps the newest of each of four collapse keys', async () => {
    device.connection.closed();
    for (const [index, key] of ['a', 'b', 'a', 'c', 'd', 'e'].entries()) {
      await bench.clock.advance(1_000);
      await send({ message: { token: addressOf(device), data: { wakeUp: toHex(new Uint8Array(16).fill(index)) }, android: { collapse_key: key } } });
    }
    const back = await bench.connected(role, device.token, 'fcm');
    expect(back.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2, 3, 4, 5]);
  });

  it('keeps a hundred without a collapse key; one more stands for all of them', async () => {
    device.connection.closed();
    for (let index = 0; index < 100; index++) await send(to(addressOf(device)));
    const full = await bench.connected(role, device.token, 'fcm');
    full.takes = false;
    expect(full.wakeUps).toHaveLength(100);
    full.connection.closed();
    role = await bench.start();
    const empty = await bench.connected(role, undefined, 'fcm');
    empty.connection.closed();
    for (let index = 0; index < 101; index++) await send(to(addressOf(empty)));
    expect((await bench.connected(role, empty.token, 'fcm')).wakeUps).toHaveLength(1);
  });

  it('keeps a message for its time to live, four weeks unless it has one, and no longer', async () => {
    device.connection.closed();
    for (const [android, lifeMs] of [[{}, 28 * 86_400_000] as const, [{ ttl: '60.5s' }, 60_500] as const]) {
      for (const [waitMs, waiting] of [[lifeMs - 1, 1] as const, [lifeMs, 0] as const]) {
        access = (body(await grant(assertion())) as { access_token: string }).access_token;
        await send(to(addressOf(device), { ...android, collapse_key: 'k' }));
        bench.clock.jumpWallClock(waitMs);
        const back = await bench.connected(role, device.token, 'fcm');
        expect([waitMs, back.wakeUps.length]).toEqual([waitMs, waiting]);
        back.connection.closed();
      }
    }
  });

  it('throttles a device, and lets the others be woken', async () => {
    role = await bench.start({ limits: { perDevicePerMinute: 1 } });
    const [first, second] = [await bench.connected(role, device.token, 'fcm'), await bench.connected(role, undefined, 'fcm')];
    expect(await told(to(addressOf(first)))).toEqual([200, undefined]);
    expect(await told(to(addressOf(first)))).toEqual([429, 'QUOTA_EXCEEDED']);
    expect(await told(to(addressOf(second)))).toEqual([200, undefined]);
    await bench.clock.advance(60_000);
    expect(await told(to(addressOf(first)))).toEqual([200, undefined]);
  });

  it('keeps nothing with a time to live of 0', async () => {
    device.connection.closed();
    expect(await told(to(addressOf(device), { ttl: '0s' }))).toEqual([200, undefined]);
    expect((await bench.connected(role, device.token, 'fcm')).wakeUps).toEqual([]);
  });
});

describe('WNS', () => {
  let device: PushDevice;
  let access: string;
  const credentials = { grant_type: 'client_credentials', client_id: wns.packageSid, client_secret: wns.clientSecret, scope: 'notify.windows.com' };
  const grant = (change: Record<string, string> = {}) => ask({ target: '/accesstoken.srf', ...form({ ...credentials, ...change }) });
  const raw = { 'x-wns-type': 'wns/raw', 'content-type': 'application/octet-stream' };
  const send = (headers: Record<string, string | undefined> = {}, more: Partial<ProviderRequest> = {}) =>
    ask({ target: addressOf(device).slice(ORIGIN.length), headers: { authorization: `Bearer ${access}`, ...raw, ...headers }, ...more });

  beforeEach(async () => {
    device = await bench.connected(role, undefined, 'wns');
    access = (body(await grant()) as { access_token: string }).access_token;
  });

  it('gives access for a day to a package', async () => {
    expect(body(await grant())).toEqual({ access_token: expect.stringMatching(/^EgA/), token_type: 'bearer', expires_in: 86_400 });
    bench.clock.jumpWallClock(86_400_000);
    expect(await send()).toMatchObject({ status: 401, headers: { 'x-wns-error-description': 'The token has expired' } });
  });

  it.each([
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['another scope', { scope: 'other' }, 'invalid_scope'],
    ['another package', { client_id: 'ms-app://other' }, 'invalid_client'],
    ['another secret', { client_secret: 'other' }, 'invalid_client'],
  ])('gives no access with %s', async (_what, change, error) => {
    expect(await grant(change)).toMatchObject({ status: 400, body: expect.stringContaining(`"error":"${error}"`) });
  });

  it('tells whether the device got it, when it is asked', async () => {
    const asked = { 'x-wns-requestforstatus': 'true' };
    expect(await send(asked)).toMatchObject({
      status: 200,
      headers: {
        'x-wns-status': 'received',
        'x-wns-notificationstatus': 'received',
        'x-wns-deviceconnectionstatus': 'connected',
        'x-wns-msg-id': expect.stringMatching(/^[0-9A-F]{16}$/),
      },
    });
    expect((await send()).headers['x-wns-deviceconnectionstatus']).toBeUndefined();
    device.connection.closed();
    expect(await send(asked)).toMatchObject({ headers: { 'x-wns-status': 'dropped', 'x-wns-deviceconnectionstatus': 'disconnected' } });
    expect((await bench.connected(role, device.token, 'wns')).wakeUps).toEqual([]);
  });

  it('keeps the newest raw notification when it is told to, as long as it is told to', async () => {
    device.connection.closed();
    for (const id of [1, 2]) {
      const sent = await send({ 'x-wns-cache-policy': 'cache', 'x-wns-ttl': '60' }, { body: new Uint8Array(16).fill(id) });
      expect(sent).toMatchObject({ headers: { 'x-wns-status': 'received' } });
    }
    const back = await bench.connected(role, device.token, 'wns');
    expect(back.wakeUps.map(({ wakeUpId }) => wakeUpId[0])).toEqual([2]);
    back.connection.closed();
    await send({ 'x-wns-cache-policy': 'cache', 'x-wns-ttl': '60' });
    await bench.clock.advance(61_000);
    expect((await bench.connected(role, device.token, 'wns')).wakeUps).toEqual([]);
  });

  it('keeps what it is told to keep for three days unless it is told for how long', async () => {
    device.connection.closed();
    for (const [ttl, lifeMs] of [[undefined, 3 * 86_400_000] as const, ['432000', 5 * 86_400_000] as const]) {
      for (const [waitMs, waiting] of [[lifeMs - 1, 1] as const, [lifeMs, 0] as const]) {
        access = (body(await grant()) as { access_token: string }).access_token;
        await send({ 'x-wns-cache-policy': 'cache', 'x-wns-ttl': ttl });
        bench.clock.jumpWallClock(waitMs);
        const back = await bench.connected(role, device.token, 'wns');
        expect([waitMs, back.wakeUps.length]).toEqual([waitMs, waiting]);
        back.connection.closed();
      }
    }
  });

  it('keeps badges unless it is told not to', async () => {
    device.connection.closed();
    const badge = { 'x-wns-type': 'wns/badge', 'content-type': 'text/xml' };
    expect((await send({ ...badge, 'x-wns-cache-policy': 'no-cache' })).headers['x-wns-status']).toBe('dropped');
    expect((await send(badge)).headers['x-wns-status']).toBe('received');
  });

  it.each<[string, Record<string, string | undefined>, Partial<ProviderRequest>, number]>([
    ['no type', { 'x-wns-type': undefined }, {}, 400],
    ['a type that there is not', { 'x-wns-type': 'toString' }, {}, 400],
    ['another media type', { 'content-type': 'text/xml' }, {}, 400],
    ['another cache policy', { 'x-wns-cache-policy': 'maybe' }, {}, 400],
    ['a time to live of nothing', { 'x-wns-ttl': '0' }, {}, 400],
    ['a payload over 5000 bytes', {}, { body: new Uint8Array(5_001) }, 413],
    ['a payload over everything', {}, { body: new Uint8Array(20_000) }, 413],
    ['no access', { authorization: undefined }, {}, 401],
    ['access to something else', { authorization: 'Bearer EgAxxxx' }, {}, 401],
    ['a channel that there is not', {}, { target: '/?token=AwYAAAother' }, 404],
    ['no channel', {}, { target: '/' }, 404],
    ['another method', {}, { method: 'PUT' }, 405],
  ])('refuses %s', async (_what, headers, more, status) => {
    expect((await send(headers, more)).status).toBe(status);
    expect(device.wakeUps).toEqual([]);
  });

  it('refuses the channel of another package, one that has expired, and ends one when its sender says so', async () => {
    const other = { packageSid: 'ms-app://other', secretHash: toHex(crypto.sha256(new TextEncoder().encode('secret'))) };
    role = await bench.start({ accounts: { ...IDENTITIES.accounts, wns: [...IDENTITIES.accounts.wns, other] } });
    const theirs = await bench.connected(role, undefined, 'wns', other.packageSid);
    expect((await send({}, { target: addressOf(theirs).slice(ORIGIN.length) })).status).toBe(403);
    const mine = await bench.connected(role, device.token, 'wns');
    expect((await send({}, { method: 'DELETE' })).status).toBe(200);
    expect(mine.names).toEqual(['pushRegistered', 'pushClose']);
    expect((await send()).status).toBe(410);
  });

  it('throttles a channel with 200 and a package with 406', async () => {
    role = await bench.start({ limits: { perDevicePerMinute: 1, perSenderPerMinute: 3 } });
    await bench.connected(role, device.token, 'wns');
    expect((await send()).headers['x-wns-status']).toBe('received');
    expect(await send()).toMatchObject({ status: 200, headers: { 'x-wns-status': 'channelthrottled' } });
    await send();
    expect(await send()).toMatchObject({ status: 406, headers: { 'retry-after': '60' } });
  });
});

describe('BlackBerry 10', () => {
  let device: PushDevice;
  const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const send = (message: unknown, more: Partial<ProviderRequest> = {}) =>
    ask({ target: '/bb10/1/pushes', headers: { authorization: basic(bb10.applicationId, bb10.password) }, body: json(message), ...more });

  beforeEach(async () => {
    device = await bench.connected(role, undefined, 'bb10');
  });

  it('delivers, stores and drops', async () => {
    expect(body(await send({ address: addressOf(device), pushId: '0a'.repeat(16) }))).toEqual({ pushId: '0a'.repeat(16), state: 'delivered' });
    device.connection.closed();
    expect(body(await send({ address: addressOf(device) }))).toMatchObject({ state: 'dropped' });
    expect(body(await send({ address: addressOf(device), deliverBefore: START_MS / 1_000 + 60 }))).toMatchObject({ state: 'stored' });
    expect((await bench.connected(role, device.token, 'bb10')).wakeUps).toHaveLength(1);
  });

  it.each<[string, unknown, Partial<ProviderRequest>, number, string]>([
    ['no JSON', undefined, { body: new Uint8Array(4) }, 400, 'BAD_REQUEST'],
    ['another field', { address: 'x', other: 1 }, {}, 400, 'BAD_REQUEST'],
    ['a time that is none', { address: 'x', deliverBefore: 'soon' }, {}, 400, 'BAD_REQUEST'],
    ['an id that is none', { address: 'x', pushId: 'x' }, {}, 400, 'BAD_REQUEST'],
    ['an address that nobody has', { address: 'x' }, {}, 404, 'UNKNOWN_ADDRESS'],
    ['another password', {}, { headers: { authorization: basic(bb10.applicationId, 'x') } }, 401, 'NOT_AUTHENTICATED'],
    ['no password', {}, { headers: {} }, 401, 'NOT_AUTHENTICATED'],
    ['another method', {}, { method: 'GET' }, 405, 'METHOD_NOT_ALLOWED'],
    ['another path', {}, { target: '/bb10/2' }, 404, 'NOT_FOUND'],
    ['a body over everything', undefined, { body: new Uint8Array(20_000) }, 413, 'TOO_LARGE'],
  ])('refuses %s', async (_what, message, more, status, code) => {
    const answer = await send(message ?? {}, more);
    expect([answer.status, (body(answer) as { code: string }).code]).toEqual([status, code]);
  });

  it('keeps the newest push, for seven days at most, and throttles a device', async () => {
    device.connection.closed();
    const deliverBefore = (): number => Math.floor(bench.clock.nowMs() / 1_000) + 30 * 86_400;
    for (const [waitMs, kept] of [[7 * 86_400_000 - 1, ['02']] as const, [7 * 86_400_000, []] as const]) {
      for (const pushId of ['01'.repeat(16), '02'.repeat(16)]) await send({ address: addressOf(device), pushId, deliverBefore: deliverBefore() });
      bench.clock.jumpWallClock(waitMs);
      const back = await bench.connected(role, device.token, 'bb10');
      expect(back.wakeUps.map(({ wakeUpId }) => toHex(wakeUpId.subarray(0, 1)))).toEqual(kept);
      back.connection.closed();
    }
    role = await bench.start({ limits: { perDevicePerMinute: 1 } });
    expect((await send({ address: addressOf(device) })).status).toBe(202);
    const answer = await send({ address: addressOf(device) });
    expect([answer.status, body(answer)]).toMatchObject([429, { code: 'TOO_MANY_PUSHES' }]);
  });

  it('tells of an address that has ended', async () => {
    await role.revokeToken(device.token);
    expect((await send({ address: addressOf(device) })).status).toBe(410);
  });
});

describe('all faces', () => {
  const requests = async (): Promise<readonly (readonly [string, () => Promise<ProviderResponse>])[]> => {
    const devices = {
      apns: await bench.connected(role),
      fcm: await bench.connected(role, undefined, 'fcm'),
      wns: await bench.connected(role, undefined, 'wns'),
      bb10: await bench.connected(role, undefined, 'bb10'),
    };
    for (const { connection } of Object.values(devices)) connection.closed();
    const iat = Math.floor(START_MS / 1_000);
    const claims = { iss: fcm.clientEmail, aud: `${ORIGIN}/token`, scope: 'https://www.googleapis.com/auth/firebase.messaging', iat, exp: iat + 60 };
    const assertion = jwt({ alg: 'ES256', kid: fcm.keyId }, claims, fcm.key);
    const google = body(await ask({ target: '/token', ...form({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }) })) as {
      access_token: string;
    };
    const microsoft = body(
      await ask({
        target: '/accesstoken.srf',
        ...form({ grant_type: 'client_credentials', client_id: wns.packageSid, client_secret: wns.clientSecret, scope: 'notify.windows.com' }),
      }),
    ) as { access_token: string };
    return [
      ['apns', () => ask(apnsRequest(devices.apns.token, START_MS))],
      [
        'fcm',
        () =>
          ask({
            target: `/v1/projects/${fcm.projectId}/messages:send`,
            headers: { authorization: `Bearer ${google.access_token}` },
            body: json({ message: { token: addressOf(devices.fcm) } }),
          }),
      ],
      [
        'wns',
        () =>
          ask({
            target: addressOf(devices.wns).slice(ORIGIN.length),
            headers: {
              authorization: `Bearer ${microsoft.access_token}`,
              'x-wns-type': 'wns/raw',
              'content-type': 'application/octet-stream',
              'x-wns-cache-policy': 'cache',
            },
          }),
      ],
      [
        'bb10',
        () =>
          ask({
            target: '/bb10/1/pushes',
            headers: { authorization: `Basic ${Buffer.from(`${bb10.applicationId}:${bb10.password}`).toString('base64')}` },
            body: json({ address: addressOf(devices.bb10), deliverBefore: iat + 60 }),
          }),
      ],
    ];
  };

  it('answer 503 in their own form when nothing can be stored, and take the notification later', async () => {
    for (const [service, send] of await requests()) {
      bench.store.fault = 'disk-full';
      const answer = await send();
      expect([service, answer.status, answer.headers['retry-after']]).toEqual([service, 503, '1']);
      bench.store.fault = undefined;
      expect([200, 202]).toContain((await send()).status);
    }
  });

  it('say by their own means that the limit is over, that the access has run out, and that the token has', async () => {
    const all = await requests();
    const with_ = async (fault: 'throttle' | 'expireAccess' | 'expire'): Promise<readonly number[]> => {
      bench.providerFault = fault;
      const statuses: number[] = [];
      for (const [, send] of all) statuses.push((await send()).status);
      bench.providerFault = undefined;
      return statuses;
    };
    expect(await with_('throttle')).toEqual([429, 429, 200, 429]);
    expect(await with_('expireAccess')).toEqual([403, 401, 401, 401]);
    expect(await with_('expire')).toEqual([410, 404, 410, 410]);
  });

  it('refuse in their own form what does not get to them', () => {
    const statuses = ['/3/device/x', '/v1/projects/x/messages:send', '/token', '/?token=x', '/accesstoken.srf', '/bb10/1/pushes', '/elsewhere'].map((target) =>
      (['tooLarge', 'unavailable', 'failed'] as const).map((why) => role.providers.refuse({ target, method: 'POST', source: '' }, why, 'test').status),
    );
    expect(statuses).toEqual([
      [413, 503, 500],
      [400, 503, 500],
      [413, 503, 500],
      [413, 503, 500],
      [413, 503, 500],
      [413, 503, 500],
      [404, 404, 404],
    ]);
  });

  it('a path that belongs to none is 404, and loud in the journal', async () => {
    expect((await ask({ target: '/elsewhere' })).status).toBe(404);
    expect(() => bench.journal.assertNoUnknownRequests()).toThrow();
  });

  it('5,000 random requests: each is answered as a mistake of the sender, and nothing is changed', async () => {
    const random = seededEntropy('random provider requests');
    const targets = [
      '/3/device/',
      `/3/device/${'a'.repeat(64)}`,
      '/v1/projects/x/messages:send',
      `/v1/projects/${fcm.projectId}/messages:send`,
      '/token',
      '/?token=x',
      '/',
      '/accesstoken.srf',
      '/bb10/1/pushes',
    ];
    const names = [
      'authorization',
      'apns-topic',
      'apns-id',
      'apns-expiration',
      'apns-push-type',
      'content-type',
      'x-wns-type',
      'x-wns-ttl',
      'x-wns-cache-policy',
    ];
    const values = [
      '',
      '0',
      'x',
      'bearer x',
      'Basic eDp4',
      'Bearer a.b.c',
      'Bearer ya29.AAAA',
      'Bearer EgAAAAA',
      'application/x-www-form-urlencoded',
      'wns/raw',
      'mdm',
      '\u0000ÿ',
    ];
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
    const certificates = [undefined, undefined, 'untrusted', new Uint8Array(7), ROOT.certificate] as const;
    const before = bench.store.commits;
    const texts = [
      '{}',
      '[]',
      'null',
      '{"message":{}}',
      '{"message":{"token":"a:b","android":{"ttl":"1s"}}}',
      'grant_type=client_credentials&scope=notify.windows.com',
      '{"address":"x"}',
    ];
    for (let round = 0; round < 5_000; round++) {
      const headers = Object.fromEntries(Array.from({ length: random.below(5) }, () => [pick(names), pick(values)]));
      const bytes = round % 2 === 0 ? random.randomBytes(random.below(60)) : new TextEncoder().encode(pick(texts));
      const answer = await role.providers.handle(
        {
          method: pick(['POST', 'POST', 'POST', 'GET', 'DELETE']),
          target: pick(targets),
          http: pick(['1.1', '2']),
          headers,
          body: bytes,
          certificate: pick(certificates),
          source: '',
        },
        undefined,
      );
      expect(answer.status, JSON.stringify(headers)).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.body).not.toMatch(/ at .*\.ts/);
    }
    expect(bench.store.commits).toBe(before);
    expect(strangeToken().length).toBeGreaterThan(16);
  });
});

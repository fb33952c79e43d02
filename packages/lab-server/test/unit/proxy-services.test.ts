import { ProtocolError, toBase64url } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../src/node/http-server.ts';
import { proxyServices } from '../../src/node/proxy-services.ts';
import type { RoleAnswer } from '../../src/roles/role.ts';

const TOKEN = toBase64url(new Uint8Array(113).fill(5));
const FOUND: wire.AuthTokenResponse = {
  userId: 'ada@example.com',
  appId: 'com.example.mail',
  instanceId: new Uint8Array(16).fill(2),
  challenge: 'c 1',
  server: 'wiki.example.com',
  createdAtEpochS: 1_800_000_000,
};

let asked: wire.AuthTokenRequest[];
let journal: string[];
let uem: () => RoleAnswer;
const answered = (found: wire.AuthTokenResponse): RoleAnswer => ({ status: 'answered', frame: wire.authTokenResponse.encode(found) });

beforeEach(() => {
  asked = [];
  journal = [];
  uem = () => answered(FOUND);
});

const services = proxyServices({
  ...{ clock: fakeClock(0), crypto: nodeCrypto(), entropy: seededEntropy('services') },
  noc: { request: () => Promise.reject(new Error('nobody asks the NOC here')) },
  uem: {
    async request(_service, frame) {
      asked.push(wire.authTokenRequest.decode(wire.parseFrame(frame)));
      return uem();
    },
  },
  note: (request, answer, source, reason) => journal.push([request, answer, source, reason ?? ''].join('|')),
});

const ask = (headers: HttpRequest['headers'], more: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  services({ method: 'GET', path: '/verifyGDAuthToken', query: '', headers, body: new Uint8Array(), peer: { kind: 'anonymous', source: '10.0.0.7' }, ...more });

const REFUSED = { 'content-type': 'text/plain', 'cache-control': 'no-store', 'X-Good-GD-AuthResponseCode': '402 Invalid Token' };

describe('/verifyGDAuthToken', () => {
  it('answers with the documented fields, and hands token, server and challenge on as they are', async () => {
    const answer = await ask({ 'x-good-gd-authtoken': TOKEN, 'x-good-gd-server': 'wiki.example.com', 'x-good-gd-authchallenge': 'c 1' });
    expect(answer).toEqual({
      status: 200,
      headers: {
        'content-type': 'text/plain',
        'cache-control': 'no-store',
        'X-Good-GD-AuthResponseCode': '100 OK',
        'X-Good-GD-UserID': 'ada@example.com',
        'X-Good-GD-AppID': 'com.example.mail',
        'X-Good-GD-ContainerID': '02'.repeat(16),
        'X-Good-GD-AuthChallenge': 'c 1',
        'X-Good-GD-Server': 'wiki.example.com',
        'X-Good-GD-AuthTokenVersion': '1',
        'X-Good-GD-AuthTokenCreationTime': '1800000000',
      },
    });
    expect(asked).toEqual([{ token: new Uint8Array(113).fill(5), server: 'wiki.example.com', challenge: 'c 1' }]);
    expect(journal).toEqual(['verifyGDAuthToken|100 OK|10.0.0.7|']);
  });

  it('asks UEM for the token alone where the server says nothing of itself', async () => {
    expect((await ask({ 'x-good-gd-authtoken': TOKEN })).status).toBe(200);
    expect(asked).toEqual([{ token: new Uint8Array(113).fill(5) }]);
  });

  it.each<[string, HttpRequest['headers']]>([
    ['no token', {}],
    ['an empty token', { 'x-good-gd-authtoken': '' }],
    ['a token with padding', { 'x-good-gd-authtoken': `${TOKEN}=` }],
    ['two tokens', { 'x-good-gd-authtoken': `${TOKEN}, ${TOKEN}` }],
    ['a token of 1,025 bytes', { 'x-good-gd-authtoken': toBase64url(new Uint8Array(1_025)) }],
    ['a token of 8 KiB', { 'x-good-gd-authtoken': 'A'.repeat(8_192) }],
    ['a server that is none', { 'x-good-gd-authtoken': TOKEN, 'x-good-gd-server': 'a b' }],
    ['an empty server', { 'x-good-gd-authtoken': TOKEN, 'x-good-gd-server': '' }],
    ['two servers', { 'x-good-gd-authtoken': TOKEN, 'x-good-gd-server': 'a, a' }],
    ['a challenge that is none', { 'x-good-gd-authtoken': TOKEN, 'x-good-gd-authchallenge': 'é' }],
  ])('refuses %s without a question to UEM', async (_name, headers) => {
    expect(await ask(headers)).toEqual({ status: 403, headers: REFUSED });
    expect(asked).toEqual([]);
    expect(journal[0]).toMatch(/^verifyGDAuthToken\|402 Invalid Token\|10\.0\.0\.7\|./);
  });

  it('says nothing but that the token is not valid when UEM refuses it', async () => {
    uem = () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) });
    expect(await ask({ 'x-good-gd-authtoken': TOKEN })).toEqual({ status: 403, headers: REFUSED });
  });

  it.each<[string, () => RoleAnswer]>([
    [
      'is not there',
      () => {
        throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'gone');
      },
    ],
    ['is busy', () => ({ status: 'busy', retryAfterS: 1 })],
    ['answers with another message', () => ({ status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) })],
    ['answers with no frame', () => ({ status: 'answered', frame: new Uint8Array(3) })],
    ['has no time', () => ({ status: 'answered', frame: wire.alert.encode({ code: 'busy' }) })],
    ['has failed', () => ({ status: 'failed' })],
  ])('says neither yes nor no when UEM %s', async (_name, answer) => {
    uem = answer;
    expect(await ask({ 'x-good-gd-authtoken': TOKEN })).toEqual({
      status: 503,
      headers: { 'content-type': 'text/plain', 'cache-control': 'no-store', 'retry-after': '5' },
    });
    expect(journal[0]).toMatch(/^verifyGDAuthToken\|503\|/);
  });

  it('writes a name in UTF-8, and refuses one that fits no header field', async () => {
    uem = () => answered({ ...FOUND, userId: 'zoë@example.com' });
    const { headers } = await ask({ 'x-good-gd-authtoken': TOKEN });
    expect(Buffer.from(headers?.['X-Good-GD-UserID'] as string, 'latin1').toString('utf8')).toBe('zoë@example.com');
    for (const found of [{ userId: 'ada\r\nX-Good-GD-AppID: other' }, { appId: 'a\u0000b' }]) {
      uem = () => answered({ ...FOUND, ...found });
      expect(await ask({ 'x-good-gd-authtoken': TOKEN })).toEqual({ status: 403, headers: REFUSED });
    }
  });

  it('takes GET alone, and knows no other path', async () => {
    expect(await ask({ 'x-good-gd-authtoken': TOKEN }, { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect((await ask({ 'x-good-gd-authtoken': TOKEN }, { body: new Uint8Array(1) })).status).toBe(400);
    for (const path of ['/', '/verifygdauthtoken', '/verifyGDAuthToken/', '/uemkit/1/proxies']) expect((await ask({}, { path })).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

import { type CryptoProvider, keySchedule, ProtocolError } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../src/node/http-server.ts';
import { pushChannelService } from '../../src/node/push-channel-service.ts';
import type { RoleAnswer } from '../../src/roles/role.ts';

const crypto = nodeCrypto();
const CHANNEL = keySchedule.newPushChannel(new Uint8Array(48).fill(4));
const TOKEN = keySchedule.pushToken(CHANNEL);
const NOW_MS = 1_800_000_000_000;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

let asked: wire.PushNotify[];
let journal: string[];
let noc: () => RoleAnswer;
const answered = (result: wire.PushNotifyResult): RoleAnswer => ({ status: 'answered', frame: wire.pushNotified.encode({ result }) });

beforeEach(() => {
  [asked, journal] = [[], []];
  noc = () => answered('accepted');
});

/** Keys that something was derived from. */
const used: Uint8Array[] = [];
const watched: CryptoProvider = {
  ...crypto,
  hkdfExpand(key, info, length) {
    used.push(key);
    return crypto.hkdfExpand(key, info, length);
  },
};
const service = pushChannelService({
  ...{ clock: fakeClock(NOW_MS), crypto: watched, entropy: seededEntropy('push service') },
  noc: {
    async request(name, frame) {
      expect(name).toBe('channels');
      asked.push(wire.pushNotify.decode(wire.parseFrame(frame)));
      return noc();
    },
  },
  note: (request, answer, source) => journal.push(`${request} ${answer} ${source}`),
});

const ask = (query: string, more: Partial<HttpRequest> & { readonly token?: string | undefined } = {}): Promise<HttpAnswer> => {
  const { token = TOKEN, ...rest } = more;
  return service({
    ...{ method: 'POST', path: '/GNP1.0', query, headers: { 'x-good-gnp-token': token }, body: new Uint8Array() },
    peer: { kind: 'anonymous', source: '10.0.0.7' },
    ...rest,
  });
};
const code = ({ status, headers }: HttpAnswer) => [status, headers?.['X-Good-GNP-Code']];

describe('notify', () => {
  it('seals the text by the token, so that the NOC gets nothing that it can read, and each time another one', async () => {
    for (const text of ['zwölf neue Mails', '', 'zwölf neue Mails']) expect(code(await ask('method=notify', { body: utf8(text) }))).toEqual([200, '100 OK']);
    const contents = asked.map(({ sealed }) => keySchedule.openPush(crypto, CHANNEL, sealed as Uint8Array));
    expect(contents.map(({ body }) => new TextDecoder().decode(body))).toEqual(['zwölf neue Mails', '', 'zwölf neue Mails']);
    expect(new Set(contents.map(({ messageId }) => messageId.join())).size).toBe(3);
    expect(new Set(asked.map(({ sealed }) => sealed?.slice(0, 16).join())).size).toBe(3);
    expect(contents.map(({ sentAtEpochMs }) => sentAtEpochMs)).toEqual([NOW_MS, NOW_MS, NOW_MS]);
    expect(asked.map(({ channelId }) => channelId)).toEqual([CHANNEL.channelId, CHANNEL.channelId, CHANNEL.channelId]);
    expect(journal).toContain('notify 100 OK 10.0.0.7');
  });

  it('forgets the key of the channel', async () => {
    await ask('method=notify', { body: utf8('x') });
    expect(used.length).toBeGreaterThan(0);
    expect(used.every((key) => key.every((byte) => byte === 0))).toBe(true);
  });

  it.each(['', 'x', TOKEN.slice(1), `${TOKEN}, ${TOKEN}`])('answers to the token %j that it is none, and asks nobody', async (token) => {
    expect(code(await ask('method=notify', { token }))).toEqual([200, '402 Invalid Token']);
    expect(code(await ask('method=checkToken', { token }))).toEqual([200, '402 Invalid Token']);
    expect(asked).toEqual([]);
  });

  it('answers as the NOC says: no such channel, or no room now', async () => {
    noc = () => answered('unknown');
    expect(code(await ask('method=notify', { body: utf8('x') }))).toEqual([200, '402 Invalid Token']);
    noc = () => answered('full');
    const full = await ask('method=notify', { body: utf8('x') });
    expect([full.status, full.headers?.['retry-after'], full.headers?.['X-Good-GNP-Code']]).toEqual([503, '5', undefined]);
  });

  it.each<[string, () => RoleAnswer]>([
    [
      'is not there',
      () => {
        throw new ProtocolError('ERR_TRANSPORT_CONNECT', 'gone');
      },
    ],
    ['is busy', () => ({ status: 'answered', frame: wire.alert.encode({ code: 'busy' }) })],
    ['does not know this Proxy', () => ({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) })],
    ['answers something else', () => ({ status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) })],
    [
      'fails',
      () => {
        throw new TypeError('a bug');
      },
    ],
  ])('says neither yes nor no when the NOC %s', async (_name, answer) => {
    noc = answer;
    expect(code(await ask('method=notify', { body: utf8('x') }))).toEqual([503, undefined]);
  });

  it('takes text in UTF-8 alone, by POST alone', async () => {
    expect((await ask('method=notify', { body: Uint8Array.of(0xfc) })).status).toBe(400);
    expect(await ask('method=notify', { method: 'GET' })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(asked).toEqual([]);
  });
});

describe('checkToken', () => {
  it('asks whether there is such a channel, by GET or POST, without a body', async () => {
    for (const method of ['GET', 'POST']) expect(code(await ask('method=checkToken', { method }))).toEqual([200, '100 OK']);
    expect(asked).toEqual([{ channelId: CHANNEL.channelId }, { channelId: CHANNEL.channelId }]);
    expect((await ask('method=checkToken', { body: utf8('x') })).status).toBe(400);
    expect(await ask('method=checkToken', { method: 'PUT' })).toMatchObject({ status: 405, headers: { allow: 'GET, POST' } });
  });
});

it.each(['', 'method=', 'method=Notify', 'method=isDisconnected', 'notify'])('knows no service %j', async (query) => {
  expect((await ask(query)).status).toBe(404);
  expect([asked, journal]).toEqual([[], ['unknown 404 10.0.0.7']]);
});

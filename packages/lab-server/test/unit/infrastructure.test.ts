import { type PeerIdentity, ProtocolError, toHex, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createInfrastructureRole } from '../../src/roles/infrastructure/infrastructure.ts';
import type { ProviderAnswer, ProviderCall } from '../../src/roles/infrastructure/push/push-sender.ts';
import type { Role, RoleAnswer, RoleName, ServiceName } from '../../src/roles/role.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { IDENTITIES, ORIGIN } from '../support/push-bench.ts';

const crypto = nodeCrypto();
const device: PeerIdentity = { kind: 'anonymous', source: '127.0.0.1' };

let store: MemoryStore;
let journal: RingJournal;
let caller: RoleName | { readonly refused: string };
let calls: ProviderCall[];
let provided: (call: ProviderCall) => Promise<Partial<ProviderAnswer>>;
let clock: FakeClock;

function start(seed = 'infrastructure', provider = crypto): Promise<Role> {
  return createInfrastructureRole({
    clock,
    crypto: provider,
    entropy: seededEntropy(seed),
    store,
    journal,
    guard: { roleOf: () => caller, tenantOf: () => ({ refused: 'nobody' }), proxyOf: () => ({ refused: 'nobody' }) },
    credentials: IDENTITIES.credentials,
    origin: ORIGIN,
    provider: {
      async request(call) {
        calls.push(call);
        return { status: 200, headers: {}, body: '', ...(await provided(call)) };
      },
    },
  });
}

const ask = (role: Role, service: ServiceName, frame: Uint8Array): Promise<RoleAnswer> => role.handle({ service, frame, peer: device });

async function register(role: Role, tenantId: string, users: readonly string[], more: Partial<wire.RegisterUsers> = {}): Promise<RoleAnswer> {
  const add = users.map((user) => userIdHash(crypto, user));
  return ask(
    role,
    'registrations',
    wire.registerUsers.encode({ tenantId, activationAddress: `${tenantId}.example:443`, add, remove: [], spkiPins: [], ...more }),
  );
}

async function discover(role: Role, userId: string): Promise<{ readonly frame: Uint8Array; readonly tenantId: string }> {
  const answer = await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId }));
  if (answer.status !== 'answered') throw new Error(answer.status);
  return { frame: answer.frame, tenantId: wire.discoveryResponse.decode(wire.parseFrame(answer.frame)).tenantId };
}

const nameOf = (answer: RoleAnswer): string | undefined => (answer.status === 'answered' ? wire.peekFrameName(answer.frame) : answer.status);

beforeEach(() => {
  clock = fakeClock(Date.UTC(2026, 0, 1));
  store = new MemoryStore();
  journal = createRingJournal();
  caller = 'uem';
  calls = [];
  provided = async () => ({});
});

describe('discovery (F1.3)', () => {
  it('does the same work for a user that does not exist, so that time tells nothing', async () => {
    const calls: string[] = [];
    const counting = new Proxy(crypto, {
      get: (provider, name: keyof typeof crypto) => {
        calls.push(name);
        return provider[name];
      },
    });
    const role = await start('infrastructure', counting);
    for (const tenant of ['north', 'south', 'west']) await register(role, tenant, [`alice@${tenant}`]);
    const work = async (userId: string): Promise<readonly string[]> => {
      calls.length = 0;
      await discover(role, userId);
      return [...calls];
    };
    expect(await work('nobody')).toContain('hmacSha256');
    expect(await work('alice@south')).toEqual(await work('nobody'));
  });

  it('finds the tenant of a registered user', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    expect((await discover(role, 'alice')).tenantId).toBe('north');
    expect((await discover(role, 'bob')).tenantId).toBe('south');
  });

  it('answers an unknown user in the same form and length, always the same, over a restart too', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    const first = await discover(role, 'mallory');
    expect(first.frame).toHaveLength((await discover(role, 'alice')).frame.length);
    expect(await discover(role, 'mallory')).toEqual(first);
    expect(await discover(await start('another start'), 'mallory')).toEqual(first);
    expect(journal.entries().at(-1)).toMatchObject({ answer: 'discoveryResponse', reason: 'unknown user', userId: 'mallory', step: 'F1.3' });
  });

  it('spreads unknown users over the tenants', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['bob']);
    const tenants = new Set<string>();
    for (let user = 0; user < 40; user++) tenants.add((await discover(role, `unknown-${user}`)).tenantId);
    expect([...tenants].sort()).toEqual(['north', 'south']);
  });

  it('is busy while no tenant has registered', async () => {
    expect((await ask(await start(), 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'alice' }))).status).toBe('busy');
  });

  it('refuses versions that it does not know, and user ids that are not canonical', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    expect(nameOf(await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [2], userId: 'alice' })))).toBe('alert');
    expect(nameOf(await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'Alice' })))).toBe('alert');
  });
});

describe('registrations (F1.1)', () => {
  it('survive a restart', async () => {
    await register(await start(), 'north', ['alice']);
    await register(await start(), 'south', []);
    expect((await discover(await start(), 'alice')).tenantId).toBe('north');
  });

  it('a whole list replaces what was there before, of this tenant only', async () => {
    const role = await start();
    await register(role, 'north', ['alice', 'anna']);
    await register(role, 'south', ['bob']);
    await register(role, 'north', ['anna'], { replaceAll: true });
    const known = async (user: string): Promise<boolean> => {
      await discover(role, user);
      return journal.entries().at(-1)?.reason === undefined;
    };
    expect([await known('alice'), await known('anna'), await known('bob')]).toEqual([false, true, true]);
  });

  it('a user who moved is not removed by the tenant of before', async () => {
    const role = await start();
    await register(role, 'north', ['alice']);
    await register(role, 'south', ['alice']);
    await register(role, 'north', [], { remove: [userIdHash(crypto, 'alice')] });
    expect((await discover(role, 'alice')).tenantId).toBe('south');
  });

  it.each([['infrastructure'], ['notification'], [{ refused: 'no role certificate' }]] as const)('are taken from UEM only, not from %o', async (who) => {
    const role = await start();
    caller = who;
    expect(nameOf(await register(role, 'north', ['alice']))).toBe('alert');
    expect((await ask(role, 'discovery', wire.discoveryRequest.encode({ versions: [1], userId: 'alice' }))).status).toBe('busy');
  });

  it('are not acknowledged when they cannot be stored', async () => {
    const role = await start();
    store.fault = 'read-only';
    expect((await register(role, 'north', ['alice'])).status).toBe('busy');
  });
});

const TOKENS = {
  apns: 'ab'.repeat(32),
  fcm: 'instance-id_0123456789:APA91b-registration',
  wns: `${ORIGIN}/?token=AwYAAAchannel`,
  bb10: '0123ABCD-secret_secret_secret_',
} as const;
const EXPIRES_S = Date.UTC(2026, 0, 2) / 1_000;
const access = JSON.stringify({ access_token: 'access-1', expires_in: 3_599, token_type: 'Bearer' });
const isTokenCall = ({ target }: ProviderCall): boolean => target === '/token' || target === '/accesstoken.srf';
const rpc = (errorCode: string): string => JSON.stringify({ error: { status: 'ANY', details: [{ '@type': 'FcmError', errorCode }] } });

async function notify(
  role: Role,
  ...notifications: readonly { readonly service: wire.PushServiceName; readonly address: string; readonly expiresAtEpochS?: number }[]
) {
  const frame = wire.notify.encode({
    notifications: notifications.map(({ service, address, expiresAtEpochS = EXPIRES_S }, index) => ({
      token: wire.pushTokenOf({ service, address }),
      wakeUpId: new Uint8Array(16).fill(index + 1),
      expiresAtEpochS,
    })),
  });
  const answer = await ask(role, 'notifications', frame);
  return answer.status === 'answered' && wire.peekFrameName(answer.frame) === 'notifyResult'
    ? wire.notifyResult.decode(wire.parseFrame(answer.frame)).statuses
    : answer.status;
}

const wake = async (service: keyof typeof TOKENS, answer: Partial<ProviderAnswer>): Promise<unknown> => {
  const role = await start();
  provided = async (call) => (isTokenCall(call) ? { body: access } : answer);
  // Beside one that gets through, so that the answer is a list.
  const other = service === 'bb10' ? 'apns' : 'bb10';
  const before = provided;
  provided = async (call) =>
    other === 'bb10' && call.target === '/bb10/1/pushes'
      ? { status: 202, body: '{"state":"stored"}' }
      : call.target.includes(TOKENS.apns) && other === 'apns'
        ? {}
        : before(call);
  const statuses = await notify(role, { service, address: TOKENS[service] }, { service: other, address: TOKENS[other] });
  return Array.isArray(statuses) ? statuses[0] : statuses;
};

describe('wake-ups (F5.2)', () => {
  it('go to APNs as MDM pushes with the certificate of the tenant', async () => {
    expect(await notify(await start(), { service: 'apns', address: TOKENS.apns })).toEqual(['accepted']);
    expect(calls).toEqual([
      {
        method: 'POST',
        target: `/3/device/${TOKENS.apns}`,
        headers: {
          'apns-topic': IDENTITIES.credentials.apns.topic,
          'apns-push-type': 'mdm',
          'apns-priority': '10',
          'apns-expiration': String(EXPIRES_S),
          'apns-id': '01010101-0101-0101-0101-010101010101',
          'content-type': 'application/json',
        },
        body: expect.stringMatching(/^\{"mdm":"[0-9A-F-]{36}"\}$/),
        certificate: true,
      },
    ]);
  });

  it('go to FCM as collapsible data messages with an access token of the project', async () => {
    provided = async (call) => (isTokenCall(call) ? { body: access } : {});
    const role = await start();
    expect(await notify(role, { service: 'fcm', address: TOKENS.fcm }, { service: 'fcm', address: TOKENS.fcm })).toEqual(['accepted', 'accepted']);
    const [token, message, ...rest] = calls;
    expect(rest).toHaveLength(1);
    expect(new URLSearchParams(String(token?.body)).get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    expect(message).toMatchObject({
      target: `/v1/projects/${IDENTITIES.credentials.fcm.projectId}/messages:send`,
      headers: { authorization: 'Bearer access-1' },
    });
    expect(JSON.parse(String(message?.body))).toEqual({
      message: { token: TOKENS.fcm, data: { wakeUp: toHex(new Uint8Array(16).fill(1)) }, android: { priority: 'HIGH', ttl: '86400s', collapse_key: 'uem' } },
    });
  });

  it('go to WNS as raw notifications that are kept, with an access token of the package', async () => {
    provided = async (call) => (isTokenCall(call) ? { body: access } : { headers: { 'x-wns-status': 'received' } });
    expect(await notify(await start(), { service: 'wns', address: TOKENS.wns })).toEqual(['accepted']);
    const [token, raw] = calls;
    const { packageSid, clientSecret } = IDENTITIES.credentials.wns;
    expect(Object.fromEntries(new URLSearchParams(String(token?.body)))).toEqual({
      grant_type: 'client_credentials',
      client_id: packageSid,
      client_secret: clientSecret,
      scope: 'notify.windows.com',
    });
    expect(raw).toMatchObject({
      target: '/?token=AwYAAAchannel',
      headers: { 'x-wns-type': 'wns/raw', 'content-type': 'application/octet-stream', 'x-wns-cache-policy': 'cache', 'x-wns-ttl': '86400' },
    });
  });

  it('go to BlackBerry 10 with the password of the application', async () => {
    provided = async () => ({ status: 202, body: '{"state":"stored"}' });
    expect(await notify(await start(), { service: 'bb10', address: TOKENS.bb10 })).toEqual(['accepted']);
    const { applicationId, password } = IDENTITIES.credentials.bb10;
    expect(calls[0]?.headers['authorization']).toBe(`Basic ${Buffer.from(`${applicationId}:${password}`).toString('base64')}`);
    expect(JSON.parse(String(calls[0]?.body))).toEqual({ address: TOKENS.bb10, pushId: '01'.repeat(16), deliverBefore: EXPIRES_S });
  });

  it('for now or never are marked as such', async () => {
    provided = async (call) => (isTokenCall(call) ? { body: access } : { status: call.target.startsWith('/bb10') ? 202 : 200 });
    await notify(await start(), ...(['apns', 'fcm', 'wns', 'bb10'] as const).map((service) => ({ service, address: TOKENS[service], expiresAtEpochS: 0 })));
    const sent = calls
      .filter((call) => !isTokenCall(call))
      .map(({ headers, body }) => `${headers['apns-expiration']} ${headers['x-wns-cache-policy']} ${body}`)
      .sort();
    expect(sent).toEqual([
      expect.stringMatching(/^0 undefined/),
      `undefined no-cache ${new Uint8Array(16).fill(3)}`,
      expect.stringMatching(/^undefined undefined \{"address":"[^"]+","pushId":"(04){16}"\}$/),
      expect.stringMatching(/"ttl":"0s"/),
    ]);
  });

  it.each<[keyof typeof TOKENS, Partial<ProviderAnswer>, wire.NotifyStatus]>([
    ['apns', { status: 410, body: '{"reason":"Unregistered","timestamp":1}' }, 'unregistered'],
    ['apns', { status: 400, body: '{"reason":"BadDeviceToken"}' }, 'unregistered'],
    ['apns', { status: 400, body: '{"reason":"DeviceTokenNotForTopic"}' }, 'unregistered'],
    ['apns', { status: 400, body: '{"reason":"BadPriority"}' }, 'unavailable'],
    ['apns', { status: 403, body: '{"reason":"BadCertificate"}' }, 'unavailable'],
    ['apns', { status: 429, body: '{"reason":"TooManyRequests"}' }, 'throttled'],
    ['apns', { status: 503, body: 'no JSON' }, 'unavailable'],
    ['fcm', { status: 404, body: rpc('UNREGISTERED') }, 'unregistered'],
    ['fcm', { status: 403, body: rpc('SENDER_ID_MISMATCH') }, 'unregistered'],
    ['fcm', { status: 400, body: rpc('INVALID_ARGUMENT') }, 'unregistered'],
    ['fcm', { status: 403, body: '{"error":{"status":"PERMISSION_DENIED"}}' }, 'unavailable'],
    ['fcm', { status: 429, body: rpc('QUOTA_EXCEEDED') }, 'throttled'],
    ['fcm', { status: 503, body: rpc('UNAVAILABLE') }, 'unavailable'],
    ['fcm', { status: 500, body: '{"error":{"details":[null]}}' }, 'unavailable'],
    ['wns', { status: 200, headers: { 'x-wns-status': 'dropped' } }, 'dropped'],
    ['wns', { status: 200, headers: { 'x-wns-status': 'channelthrottled' } }, 'throttled'],
    ['wns', { status: 406 }, 'throttled'],
    ['wns', { status: 403 }, 'unregistered'],
    ['wns', { status: 404 }, 'unregistered'],
    ['wns', { status: 410 }, 'unregistered'],
    ['wns', { status: 503 }, 'unavailable'],
    ['bb10', { status: 202, body: '{"state":"dropped"}' }, 'dropped'],
    ['bb10', { status: 404, body: '{}' }, 'unregistered'],
    ['bb10', { status: 410, body: '{}' }, 'unregistered'],
    ['bb10', { status: 429, body: '{}' }, 'throttled'],
    ['bb10', { status: 401, body: '[]' }, 'unavailable'],
  ])('%s: the answer %j means %s', async (service, answer, status) => {
    expect(await wake(service, answer)).toBe(status);
  });

  it('a channel that is not at WNS gets neither wake-up nor access token', async () => {
    const role = await start();
    for (const address of ['https://elsewhere.test/?token=AwYAAA', `${ORIGIN}.elsewhere.test/?token=AwYAAA`, `${ORIGIN}@elsewhere.test/?token=AwYAAA`]) {
      expect(await notify(role, { service: 'wns', address })).toEqual(['unregistered']);
    }
    expect(calls).toEqual([]);
  });

  it('a token that names no service is unregistered', async () => {
    const notifications = [{ token: new Uint8Array(32), wakeUpId: new Uint8Array(16), expiresAtEpochS: 0 }];
    const answer = await ask(await start(), 'notifications', wire.notify.encode({ notifications }));
    expect(answer.status === 'answered' && wire.notifyResult.decode(wire.parseFrame(answer.frame)).statuses).toEqual(['unregistered']);
  });

  it('are never lost in silence: each is told when no service can be reached', async () => {
    provided = () => Promise.reject(new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection'));
    expect(await notify(await start(), { service: 'apns', address: TOKENS.apns }, { service: 'bb10', address: TOKENS.bb10 })).toEqual([
      'unavailable',
      'unavailable',
    ]);
  });

  it.each<[string, () => Promise<ProviderAnswer>]>([
    ['answers 503', async () => ({ status: 503, headers: {}, body: '' })],
    ['breaks connections', () => Promise.reject(new ProtocolError('ERR_TRANSPORT_CLOSED', 'no answer'))],
  ])('an outage holds up nobody else: a service that %s is told for its devices, also when there are no others', async (_how, outage) => {
    provided = outage;
    expect(await notify(await start(), { service: 'apns', address: TOKENS.apns }, { service: 'apns', address: TOKENS.apns })).toEqual([
      'unavailable',
      'unavailable',
    ]);
  });

  it('services that answer are not out of reach, whatever they say', async () => {
    provided = async () => ({ status: 503 });
    expect(await notify(await start(), { service: 'apns', address: TOKENS.apns }, { service: 'bb10', address: TOKENS.bb10 })).toEqual([
      'unavailable',
      'unavailable',
    ]);
  });

  it('an outage of one service is told for its devices, the others are woken', async () => {
    provided = async ({ target }) => (target.startsWith('/3/') ? { status: 503 } : { status: 202, body: '{}' });
    expect(await notify(await start(), { service: 'apns', address: TOKENS.apns }, { service: 'bb10', address: TOKENS.bb10 })).toEqual([
      'unavailable',
      'accepted',
    ]);
  });

  it('are taken from UEM only', async () => {
    const role = await start();
    caller = { refused: 'no role certificate' };
    expect(await notify(role, { service: 'apns', address: TOKENS.apns })).toBe('answered');
    expect(calls).toEqual([]);
  });
});

describe('access tokens', () => {
  const fcm = { service: 'fcm', address: TOKENS.fcm } as const;
  let issued: number;
  beforeEach(() => {
    issued = 0;
    provided = async (call) => (isTokenCall(call) ? { body: JSON.stringify({ access_token: `access-${++issued}`, expires_in: 3_599 }) } : {});
  });

  it('are asked for once and kept until shortly before their end', async () => {
    const role = await start();
    await notify(role, fcm, fcm, fcm);
    await notify(role, fcm);
    expect(issued).toBe(1);
    await clock.advance(3_530_000);
    await notify(role, fcm);
    expect(issued).toBe(1);
    await clock.advance(10_000);
    await notify(role, fcm, fcm);
    expect(issued).toBe(2);
  });

  it('are renewed once when the service does not take them any more', async () => {
    const role = await start();
    await notify(role, fcm);
    const before = provided;
    provided = async (call) => (call.headers['authorization'] === 'Bearer access-1' ? { status: 401, body: '{}' } : before(call));
    expect(await notify(role, fcm, fcm)).toEqual(['accepted', 'accepted']);
    expect(issued).toBe(2);
    provided = async (call) => (isTokenCall(call) ? before(call) : { status: 401, body: '{}' });
    expect(await notify(role, fcm)).toEqual(['unavailable']);
  });

  it('that are not given make the wake-up one for later', async () => {
    provided = async () => ({ status: 400, body: '{"error":"invalid_grant"}' });
    expect(await notify(await start(), fcm)).toEqual(['unavailable']);
    expect(journal.entries().some(({ service, answer }) => service === 'fcm' && answer.startsWith('ERR_REJECTED_BUSY'))).toBe(true);
  });
});

describe('bad input', () => {
  it('an unknown frame or service is loud in the journal', async () => {
    const role = await start();
    expect(nameOf(await ask(role, 'discovery', wire.poll.encode({ reason: 'schedule' })))).toBe('alert');
    expect((await ask(role, 'device', new Uint8Array(3))).status).toBe('malformed');
    expect(() => journal.assertNoUnknownRequests()).toThrow(/2 unknown requests, the first: poll to infrastructure\/discovery/);
  });

  it('10,000 random byte strings change nothing', async () => {
    const role = await start();
    const before = store.commits;
    const random = seededEntropy('random');
    const services: readonly ServiceName[] = ['discovery', 'registrations', 'notifications'];
    for (let round = 0; round < 10_000; round++) {
      const bytes = random.randomBytes(random.below(80));
      // Half of them look like a frame at first sight.
      if (round % 2 === 0 && bytes.length > 8) bytes.set([1, 0x60 + (round % 4), 0, 0, 0, 0, 0, bytes.length - 8]);
      const answer = await ask(role, services[round % 3] as ServiceName, bytes);
      expect(['malformed', 'alert']).toContain(nameOf(answer));
    }
    expect(store.commits).toBe(before);
  });
});

import { keySchedule, type PeerIdentity, secret, toHex } from '@uemkit/protocol';
import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, expect, it } from 'vitest';
import type { RoleAnswer } from '../../src/roles/role.ts';
import { createProxyService, type ProxyService } from '../../src/roles/uem/proxy-service.ts';
import { type AppInstanceRecord, putAppInstance } from '../../src/state/app-instances.ts';
import { putApplication } from '../../src/state/applications.ts';
import { deleteAssignment, putAssignment } from '../../src/state/assignments.ts';
import { type DeviceRecord, putDevice } from '../../src/state/devices.ts';
import { listProxies, MAX_PROXIES } from '../../src/state/proxies.ts';
import type { TenantRecord } from '../../src/state/tenants.ts';
import { createUser, deleteUser } from '../../src/state/users.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { crypto, NOW_MS, ROOT } from '../support/uem-bench.ts';

const SESSION_KEY_ID = new Uint8Array(16).fill(1);
const INSTANCE_ID = new Uint8Array(16).fill(2);
const MASTER = new Uint8Array(32).fill(3);
const peer: PeerIdentity = { kind: 'anonymous', source: 'node' };
const point = crypto.p256PublicKey(new Uint8Array(32).fill(7));

let store: MemoryStore;
let service: ProxyService;
let caller: { readonly proxyId: string; readonly certificate: Uint8Array } | { readonly refused: string };
let told: number;
const TENANT = 'tenant';
const USER_GUID = 'user-1';
const APP_GUID = 'app-1';
const USER_ASSIGNEE = { kind: 'user', id: USER_GUID } as const;
const APP = { kind: 'application', id: APP_GUID } as const;
let clock: FakeClock;

beforeEach(async () => {
  store = new MemoryStore();
  told = 0;
  clock = fakeClock(NOW_MS);
  caller = { proxyId: 'proxy-1', certificate: ROOT };
  const guard = { roleOf: () => 'connectivity-node' as const, tenantOf: () => ({ refused: 'no UEM' }), proxyOf: () => caller };
  service = createProxyService({ clock, crypto, store, guard, tenant: { tenantId: TENANT } as TenantRecord, changed: async () => void told++ });
  await store.transaction((tx) => {
    createUser(tx, { guid: USER_GUID, userId: 'ada@example.com', username: 'ada', createdAtMs: NOW_MS } as never);
    putAppInstance(tx, APP_INSTANCE);
    putApplication(tx, {
      guid: APP_GUID,
      applicationId: APP_INSTANCE.appId,
      name: 'Wiki',
      version: '1',
      platforms: ['ANDROID'],
      digest: '',
      updatedAtMs: NOW_MS,
    });
    putAssignment(tx, { assignee: USER_ASSIGNEE, object: APP, disposition: 'OPTIONAL', createdAtMs: NOW_MS });
  });
});

const APP_INSTANCE: AppInstanceRecord = {
  ...{ instanceId: toHex(INSTANCE_ID), userGuid: 'user-1', appId: 'com.example.wiki', appVersion: '1.0', platform: 'android', linkId: '00', keyId: '00' },
  ...{ masterSessionKey: MASTER, sessionKeyId: SESSION_KEY_ID, sessionKeyExpiresAtMs: NOW_MS + 1_000, activatedAtMs: NOW_MS },
};

/** The app is on a device that UEM knows. */
const onDevice = (more: Partial<DeviceRecord>): Promise<void> =>
  store.transaction((tx) => {
    const device = {
      deviceId: 'device-1',
      userGuid: USER_GUID,
      userId: 'ada@example.com',
      status: 'active',
      keyId: 'aa',
      serials: [],
      createdAtMs: NOW_MS,
      ...more,
    };
    putDevice(tx, device as unknown as DeviceRecord);
    putAppInstance(tx, { ...APP_INSTANCE, deviceId: 'device-1' });
  });

async function ask(frame: Uint8Array): Promise<RoleAnswer> {
  return (await service.handle({ service: 'proxies', frame, peer })).answer;
}

async function after(take: () => unknown, asking: () => Promise<RoleAnswer>): Promise<RoleAnswer> {
  await take();
  return asking();
}

const keyFor = (asked: Partial<wire.ProxyKeyRequest> = {}): Promise<RoleAnswer> =>
  ask(wire.proxyKeyRequest.encode({ sessionKeyId: SESSION_KEY_ID, instanceId: INSTANCE_ID, ...asked }));

function given(answer: RoleAnswer): wire.ProxyKeyResponse {
  if (answer.status !== 'answered') throw new Error(answer.status);
  return wire.proxyKeyResponse.decode(wire.parseFrame(answer.frame));
}

function alertOf(answer: RoleAnswer): string {
  if (answer.status !== 'answered') return answer.status;
  const frame = wire.parseFrame(answer.frame);
  return frame.name === 'alert' ? wire.alert.decode(frame).code : frame.name;
}

it('gives each Proxy its own key of an app, by the id of its certificate, and no other (F10.3)', async () => {
  const pskOf = (proxyId: string): string => toHex(keySchedule.proxyPsk(crypto, secret(MASTER.slice()), proxyId));
  const first = toHex(given(await keyFor()).key);
  caller = { proxyId: 'proxy-2', certificate: ROOT };
  const second = toHex(given(await keyFor()).key);
  expect([first, second]).toEqual([pskOf('proxy-1'), pskOf('proxy-2')]);
  expect(first).not.toBe(second);
});

it('an app on a device of its user has its key', async () => {
  await onDevice({});
  expect(given(await keyFor()).key).toHaveLength(32);
});

it('without a connectivity profile an app goes nowhere through a Proxy', async () => {
  expect(given(await keyFor()).destinations).toEqual([]);
});

/** What was taken away from the app, or from who asks. */
const TAKEN_AWAY: readonly (readonly [string, () => unknown])[] = [
  ['a session key that is out of date', () => clock.advance(1_000)],
  [
    'an app that is not assigned any more',
    async () => {
      await store.transaction((tx) => deleteAssignment(tx, USER_ASSIGNEE, APP));
    },
  ],
  [
    'a user who is gone',
    async () => {
      await store.transaction((tx) => deleteUser(tx, USER_GUID));
    },
  ],
  [
    'an app whose device is gone',
    async () => {
      await store.transaction((tx) => putAppInstance(tx, { ...APP_INSTANCE, deviceId: 'gone' }));
    },
  ],
  [
    'an app on a device that has ended',
    async () => {
      await onDevice({ status: 'removed' });
    },
  ],
  [
    'an app on a device that is another user’s now',
    async () => {
      await onDevice({ userGuid: 'user-2' });
    },
  ],
  [
    'a peer that is no Proxy',
    () => {
      caller = { refused: 'role noc is no Proxy' };
    },
  ],
];

it.each<[string, () => Promise<RoleAnswer>]>([
  ['another session key', () => keyFor({ sessionKeyId: INSTANCE_ID })],
  ['an app that nobody knows', () => keyFor({ instanceId: SESSION_KEY_ID })],
  ...TAKEN_AWAY.map(([name, take]): [string, () => Promise<RoleAnswer>] => [name, () => after(take, keyFor)]),
])('gives no key for %s', async (_name, asking) => {
  expect(alertOf(await asking())).toBe('authFailed');
});

const CLAIMS = { challenge: 'c 1', server: 'wiki.example.com', createdAtEpochS: NOW_MS / 1_000 };
const tokenOf = (claims: Partial<wire.AuthTokenClaims> = {}, keys: Partial<keySchedule.AuthTokenKeys> = {}): Uint8Array => {
  const own = { masterSessionKey: secret<'master-session'>(MASTER.slice()), tenantId: TENANT, sessionKeyId: SESSION_KEY_ID, instanceId: INSTANCE_ID };
  return keySchedule.sealAuthToken(crypto, { ...own, ...keys }, { ...CLAIMS, ...claims }, new Uint8Array(16).fill(9));
};
const verify = (token: Uint8Array, more: Partial<wire.AuthTokenRequest> = {}): Promise<RoleAnswer> => ask(wire.authTokenRequest.encode({ token, ...more }));
const altered = (at: number): Uint8Array => tokenOf().map((byte, index) => (index === at ? byte ^ 1 : byte));

it('tells whose an auth token is, to a server that says who it is and to one that does not (13.2)', async () => {
  await onDevice({});
  for (const more of [{}, { server: 'WIKI.example.com.', challenge: 'c 1' }]) {
    const answer = await verify(tokenOf(), more);
    if (answer.status !== 'answered') throw new Error(answer.status);
    expect(wire.authTokenResponse.decode(wire.parseFrame(answer.frame))).toEqual({
      ...{ userId: 'ada@example.com', appId: 'com.example.wiki', instanceId: INSTANCE_ID },
      ...CLAIMS,
    });
  }
});

it('takes an auth token until it is an hour old, also of a clock that is five minutes ahead', async () => {
  const ageS = async (seconds: number): Promise<string> => alertOf(await verify(tokenOf({ createdAtEpochS: NOW_MS / 1_000 - seconds })));
  expect([await ageS(3_599), await ageS(3_600), await ageS(-300), await ageS(-301)]).toEqual([
    'authTokenResponse',
    'authFailed',
    'authTokenResponse',
    'authFailed',
  ]);
});

it.each<[string, () => Promise<RoleAnswer>]>([
  ['for another server', () => verify(tokenOf(), { server: 'mail.example.com' })],
  ['with another challenge', () => verify(tokenOf(), { challenge: 'c 2' })],
  ['without the challenge that was given', () => verify(tokenOf({ challenge: '' }), { challenge: 'c 1' })],
  ['of another tenant', () => verify(tokenOf({}, { tenantId: 'other' }))],
  ['under another key', () => verify(tokenOf({}, { masterSessionKey: secret<'master-session'>(new Uint8Array(32).fill(4)) }))],
  ['of another session key', () => verify(tokenOf({}, { sessionKeyId: INSTANCE_ID }))],
  ['of an app that nobody knows', () => verify(tokenOf({}, { instanceId: SESSION_KEY_ID }))],
  ['that was altered in its head', () => verify(altered(1))],
  ['that was altered inside', () => verify(altered(60))],
  ['that is none', () => verify(new Uint8Array(100))],
  ...TAKEN_AWAY.map(([name, take]): [string, () => Promise<RoleAnswer>] => [`of ${name}`, () => after(take, () => verify(tokenOf()))]),
])('refuses an auth token %s, and says nothing more', async (_name, asking) => {
  expect(await asking()).toEqual({ status: 'answered', frame: wire.alert.encode({ code: 'authFailed' }) });
});

it('takes a Proxy into its list under the id of the certificate, tells the NOC, and has room for 32', async () => {
  const register = wire.registerProxy.encode({ host: 'proxy.example', port: 17_533, keyExchangeKey: point });
  for (let number = 0; number < MAX_PROXIES; number++) {
    caller = { proxyId: `proxy-${number}`, certificate: ROOT };
    expect(alertOf(await ask(register))).toBe('acknowledgement');
  }
  expect(alertOf(await ask(register))).toBe('acknowledgement');
  caller = { proxyId: 'one too many', certificate: ROOT };
  expect((await ask(register)).status).toBe('busy');
  expect(store.read(listProxies)).toHaveLength(MAX_PROXIES);
  expect(told).toBe(MAX_PROXIES + 1);
  expect(alertOf(await ask(wire.idle.encode({ pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 1 } as never)))).toBe('badMessage');
  expect((await ask(new Uint8Array(3))).status).toBe('malformed');
});

import { keySchedule, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { keyOfVerifier } from '../../src/roles/noc/noc-keys.ts';
import { ASSISTED_KEY_LIFE_MS } from '../../src/roles/uem/grant-app-key.ts';
import { REQUEST_KEPT_MS } from '../../src/state/access-key-requests.ts';
import { isLiveKey, listAccessKeys, MAX_ACCESS_KEYS_PER_USER } from '../../src/state/access-keys.ts';
import { MAX_REFUSALS_AMONG, REFUSAL_LOOK_BACK, REFUSAL_PAUSE_MS } from '../../src/state/refusal-events.ts';
import { APP_ID, AppLab, INSTANCE, KeyDevice, NONCE, PLATFORM_ID } from '../support/app-bench.ts';
import { crypto, USER } from '../support/uem-bench.ts';

let lab: AppLab;
let device: KeyDevice;
beforeEach(async () => {
  lab = await AppLab.start();
  device = await KeyDevice.activated(lab);
});

const OTHER = new Uint8Array(16).fill(9);
const told = async (more: Partial<wire.AccessKeyForward> = {}): Promise<string> => {
  const frame = await device.forward(more);
  return frame.name === 'alert' ? wire.alert.decode(frame).code : frame.name;
};
const keys = () => lab.uem.store.read((view) => listAccessKeys(view, lab.userGuid));

describe('an access key that a UEM Client asks for (F3.4, F3.5)', () => {
  it('is for the user of the device, the app and the nonce, lives ten minutes, and the NOC knows it before the answer', async () => {
    const response = wire.accessKeyResponse.decode(await device.forward());
    const nowMs = lab.uem.clock.nowMs();
    expect(response).toMatchObject({ nonce: NONCE, userId: USER, expiryEpochS: Math.floor((nowMs + ASSISTED_KEY_LIFE_MS) / 1_000) });
    const keyId = toHex(response.keyId);
    expect(lab.key(keyId)).toMatchObject({
      kind: 'assisted',
      userGuid: lab.userGuid,
      expiresAtMs: nowMs + ASSISTED_KEY_LIFE_MS,
      origin: { appId: APP_ID, instanceId: toHex(INSTANCE), deviceId: device.deviceId, deviceKeyHash: toHex(device.identity.deviceKeyHash) },
    });
    expect(lab.uem.told).toEqual([keyId]);
    const verifier = keySchedule.nocVerifier(crypto, keySchedule.nocHash(crypto, keySchedule.assistedAccessKey(crypto, response.accessKey, USER, NONCE)));
    expect(lab.nocStore.read((view) => keyOfVerifier(view, verifier))).toMatchObject({ keyId });
    expect(lab.events).toMatchObject([{ type: 'ACCESS_KEY_CREATED', keyId, deviceId: device.deviceId, applicationId: APP_ID }]);
    expect(lab.uem.journal.entries().findLast(({ service }) => service === 'device')).toMatchObject({
      step: 'F3.5',
      request: 'accessKeyForward',
      answer: 'accessKeyResponse',
      deviceId: device.deviceId,
      userId: USER,
    });
  });

  it('is nowhere but in the answer', async () => {
    const { accessKey } = wire.accessKeyResponse.decode(await device.forward());
    const stored = lab.uem.store.read((view) => view.range({ prefix: '', limit: 10_000 })).map(({ value }) => toHex(value));
    const everything = [...stored, JSON.stringify(lab.uem.journal.entries())].join('\n');
    for (const form of [accessKey, Buffer.from(accessKey).toString('hex'), toHex(NONCE)]) expect(everything).not.toContain(form);
  });

  it('the device need not be named', async () => {
    expect(await told({ deviceId: undefined })).toBe('accessKeyResponse');
  });
});

describe('a request that is refused', () => {
  it('names another device than the certificate does', async () => {
    const other = await KeyDevice.activated(lab, 'other');
    expect(await told({ deviceId: other.deviceId })).toBe('badMessage');
    expect(lab.uem.reasons.at(-1)).toContain('ERR_PEER_MISMATCH');
    expect(keys()).toEqual([]);
  });

  it('repeats a nonce: one key for each, also when the first one is gone', async () => {
    expect(await told()).toBe('accessKeyResponse');
    expect(await told()).toBe('badMessage');
    expect(lab.uem.reasons.at(-1)).toContain('ERR_PEER_REPLAY');
    await lab.uem.clock.advance(REQUEST_KEPT_MS - 1);
    lab.uem.restart();
    expect(await told()).toBe('badMessage');
    expect(await told({ nonce: new Uint8Array(32) })).toBe('accessKeyResponse');
    // Of another installation it is another one.
    expect(await told({ instanceId: OTHER })).toBe('accessKeyResponse');
  });

  it.each<[string, Partial<wire.AccessKeyForward>]>([
    ['an app that the catalogue does not have', { appId: 'com.example.unknown' }],
    ['an app that is not assigned to the user', { appId: 'com.example.unassigned' }],
    ['a platform id that is not the app’s: another package poses as it', { platformId: `android:com.example.evil:${'ab'.repeat(32)}` }],
    ['the package of the app under another signature', { platformId: PLATFORM_ID.replace('ab', 'cd') }],
    ['an app without platform ids', { appId: 'com.example.plain' }],
  ])('is for %s; it is reported', async (_what, more) => {
    await lab.addApplication('com.example.unassigned', { assigned: false });
    await lab.addApplication('com.example.plain', { platformIds: [] });
    expect(await told(more)).toBe('authFailed');
    expect(lab.events).toMatchObject([{ type: 'ACCESS_KEY_REFUSED', deviceId: device.deviceId, userGuid: lab.userGuid, applicationId: more.appId ?? APP_ID }]);
    expect(keys()).toEqual([]);
    // It was not answered, so the same nonce may be sent again.
    expect(await told()).toBe('accessKeyResponse');
  });

  it('again and again is told a few times: it pushes out neither what happened to others nor what they are refused', async () => {
    const other = await KeyDevice.activated(lab, 'other');
    const refusedOf = ({ deviceId }: KeyDevice): number => lab.events.filter((event) => event.deviceId === deviceId).length;
    const appId = 'com.example.unassigned';
    for (let index = 0; index < 3 * REFUSAL_LOOK_BACK; index++) expect(await told({ appId })).toBe('authFailed');
    expect(refusedOf(device)).toBe(MAX_REFUSALS_AMONG);
    await other.forward({ appId });
    expect(refusedOf(other)).toBe(1);
    await lab.uem.clock.advance(REFUSAL_PAUSE_MS);
    expect(await told({ appId })).toBe('authFailed');
    expect(refusedOf(device)).toBe(MAX_REFUSALS_AMONG + 1);
  });

  it('is one too many; expired keys make room', async () => {
    for (let index = 0; index < MAX_ACCESS_KEYS_PER_USER; index++)
      expect(await told({ nonce: new Uint8Array(32).fill(index + 100) })).toBe('accessKeyResponse');
    expect(await told()).toBe('authFailed');
    await lab.uem.clock.advance(ASSISTED_KEY_LIFE_MS);
    expect(await told()).toBe('accessKeyResponse');
    expect(keys().filter((key) => isLiveKey(key, lab.uem.clock.nowMs()))).toHaveLength(1);
  });

  it('comes from a device that is not confirmed, or not any more', async () => {
    const peer = device.peer();
    const frame = wire.accessKeyForward.encode({ appId: APP_ID, instanceId: INSTANCE, nonce: NONCE, platformId: PLATFORM_ID });
    expect((await lab.uem.ask('device', frame, { kind: 'anonymous', source: 'x' })).status).toBe('answered');
    expect(keys()).toEqual([]);
    const unconfirmed = await unconfirmedDevice();
    expect(wire.alert.decode(await unconfirmed.forward()).code).toBe('badMessage');
    expect(keys()).toEqual([]);
    expect((await lab.uem.ask('device', frame, peer)).status).toBe('answered');
    expect(keys()).toHaveLength(1);
  });

  async function unconfirmedDevice(): Promise<KeyDevice> {
    const late = new KeyDevice(lab, 'late');
    await late.activate(await lab.uem.addQr({ expireAfterUse: false }), { onSend: (name) => name !== 'activationDone' });
    return late;
  }
});

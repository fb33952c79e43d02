import { describe, expect, it } from 'vitest';
import { type AppActivationRecord, newAppActivation, restoreAppActivation, secret, writeAppActivation } from '../../../src/index.ts';
import { decodeCbor } from '../../../src/wire/cbor/decode.ts';
import { encodeCbor } from '../../../src/wire/cbor/encode.ts';
import type { CborValue } from '../../../src/wire/cbor/value.ts';
import { ACCESS_KEY, AppBench, ASSISTED, converse, DEVICE, INSTANCE_ID, NONCE, TYPED, USER, Way } from './app-activation-bench.ts';

const parts = { userId: USER, appId: 'app', instanceId: INSTANCE_ID, key: TYPED };

/** The record in each phase. */
function recordIn(phase: AppActivationRecord['phase']): AppActivationRecord {
  const app = new AppBench().start();
  converse(app, new Way(), { started: 0, linked: 1, provisioned: 3, activated: 9 }[phase]);
  return app.record as AppActivationRecord;
}

/** What `change` makes of the stored fields. */
function damaged(record: AppActivationRecord, change: (fields: Map<number, CborValue>) => void): Uint8Array {
  const fields = new Map(decodeCbor(writeAppActivation(record).value as Uint8Array) as Map<number, CborValue>);
  change(fields);
  return encodeCbor(fields);
}

describe('a new app activation', () => {
  it('has user and typed key in their one form', () => {
    const record = newAppActivation({ ...parts, userId: ' Alice@Example.com', key: { kind: 'typed', accessKey: 'o1234-56789-abcde' } });
    expect(record).toEqual({
      phase: 'started',
      userId: USER,
      appId: 'app',
      instanceId: INSTANCE_ID,
      device: undefined,
      key: { kind: 'typed', accessKey: ACCESS_KEY },
    });
  });

  it.each([
    ['an access key', { key: { kind: 'typed', accessKey: '0123' } }],
    ['a nonce', { key: { kind: 'assisted', accessKey: ACCESS_KEY, nonce: new Uint8Array(31) } }],
    ['a user id', { userId: ' ' }],
    ['an app id', { appId: '' }],
    ['an instance id', { instanceId: new Uint8Array(15) }],
    ['a device', { device: { deviceId: '', deviceKeyHash: new Uint8Array(32) } }],
  ] as const)('cannot begin with what is not %s', (_what, change) => {
    expect(() => newAppActivation({ ...parts, ...change })).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
  });
});

describe('a saved app activation', () => {
  it.each(['started', 'linked', 'provisioned', 'activated'] as const)('is read again in phase %s', (phase) => {
    const record = recordIn(phase);
    expect(record.phase).toBe(phase);
    expect(restoreAppActivation(writeAppActivation(record).value as Uint8Array)).toEqual(record);
  });

  it('keeps whether M3 has left, whether an alert answered, and which kind the key is', () => {
    const refused = { ...recordIn('linked'), refused: true, requested: true };
    expect(restoreAppActivation(writeAppActivation(refused).value as Uint8Array)).toEqual(refused);
    const typed = newAppActivation(parts);
    expect(restoreAppActivation(writeAppActivation(typed).value as Uint8Array)).toEqual(typed);
    expect(newAppActivation({ ...parts, key: ASSISTED, device: DEVICE }).key).toEqual({ kind: 'assisted', accessKey: ACCESS_KEY, nonce: NONCE });
  });

  it('that is not there is none', () => {
    expect(restoreAppActivation(undefined)).toBeUndefined();
  });

  it('that is no CBOR is damaged', () => {
    expect(() => restoreAppActivation(new Uint8Array([0xff]))).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });

  const [device, deviceKey, accessKey, link, data, sessionId, acknowledgement, traffic, bornMs] = [4, 5, 6, 8, 9, 10, 11, 12, 13];
  it.each([
    ['started', 'half a device', deviceKey],
    ['started', 'half a device', device],
    ['started', 'no key', accessKey],
    ['linked', 'no link', link],
    ['provisioned', 'no data', data],
    ['provisioned', 'half a session', sessionId],
    ['provisioned', 'half a session', acknowledgement],
    ['provisioned', 'half a session', traffic],
    ['provisioned', 'half a session', bornMs],
  ] as const)('in phase %s with %s is damaged', (phase, _what, field) => {
    expect(() => restoreAppActivation(damaged(recordIn(phase), (fields) => fields.delete(field as number)))).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_READ' }),
    );
  });

  it.each([
    ['a key after its use', { ...recordIn('activated'), key: TYPED }],
    ['a link before 0x31', { ...recordIn('linked'), phase: 'started' }],
    ['data before 0x40', { ...recordIn('linked'), data: recordIn('activated').data }],
    ['a session before 0x40', { ...recordIn('linked'), session: recordIn('provisioned').session }],
  ] as const)('with %s is damaged', (_what, record) => {
    const { value } = writeAppActivation(record as AppActivationRecord);
    expect(() => restoreAppActivation(value as Uint8Array)).toThrow(expect.objectContaining({ code: 'ERR_STORE_READ' }));
  });

  it('writes no traffic secret of another length', () => {
    const record = recordIn('provisioned');
    const session = { ...(record.session as NonNullable<AppActivationRecord['session']>), traffic: secret<'traffic'>(new Uint8Array(31)) };
    expect(() => writeAppActivation({ ...record, session })).toThrow(expect.objectContaining({ code: 'ERR_WIRE_LENGTH' }));
  });
});

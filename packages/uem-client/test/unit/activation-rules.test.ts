import type { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import type { ActivationCredentials } from '../../src/index.ts';
import { activeTestDevice, type TestDevice, type TestDeviceOptions, testDevice } from '../support/test-device.ts';

const NOTICE = { configuration: { organizationNotice: 'This device belongs to Example Ltd.' } };

function password(device: TestDevice, value: string, slot?: number): ActivationCredentials {
  return { kind: 'password', userId: 'alice@example.com', password: value, infrastructure: { address: 'infrastructure:1', trust: device.uem.trust }, slot };
}

function errorOf(run: Promise<void>): Promise<ProtocolError> {
  return run.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as ProtocolError,
  );
}

const starts = (device: TestDevice): number => device.uem.requests.filter((request) => request === 'activation activationStart').length;

describe('a refusal of a device that has proved its secret (F1.4)', () => {
  it('is a typed error with its reason; nothing is configured, and the same secret works when the reason is gone', async () => {
    const device = await testDevice();
    const content = device.uem.qrCode('alice@example.com');
    device.uem.refused = { refusal: 'modelNotAllowed', message: 'ask the help desk' };
    const error = await errorOf(device.activate({ kind: 'qr', content }));
    expect(error).toMatchObject({ code: 'ERR_REJECTED_ACTIVATION', step: 'F1.4', retry: 'never', message: 'ask the help desk' });
    expect(error.details).toEqual({ reason: 'modelNotAllowed' });
    expect([device.os.configured, device.uem.devices.size, device.client.state]).toEqual([0, 0, 'activating']);
    device.uem.refused = undefined;
    await device.activate({ kind: 'qr', content });
    expect(device.client.state).toBe('active');
  });

  it('ends a configured device whose place was taken, with its identity and its work data', async () => {
    const device = await testDevice();
    device.uem.tooLate = 'deviceLimit';
    const error = await errorOf(device.activate());
    expect(error).toMatchObject({ code: 'ERR_REJECTED_ACTIVATION', step: 'F1.5', details: { reason: 'deviceLimit' } });
    expect([device.client.state, device.os.deactivations]).toEqual(['revoked', ['revoked']]);
    expect([...device.store.snapshot()].filter(([key]) => key.startsWith('uem/key'))).toEqual([]);
  });

  it('tells the server which activation types the device can take', async () => {
    const device = await testDevice();
    device.os.activationTypes = ['work-space-only'];
    await device.activate();
    expect(device.uem.toldTypes).toEqual(['work-space-only']);
  });
});

describe('passwords in slots', () => {
  it('tries one slot after the other, since a person does not know', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'paired sesame', 2);
    await device.clock.hold(device.activate(password(device, 'paired sesame')));
    expect([device.client.state, starts(device)]).toEqual(['active', 3]);
  });

  it('tries the slot that it is told, and no other', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'paired sesame', 1);
    const error = await device.clock.hold(errorOf(device.activate(password(device, 'paired sesame', 2))));
    expect([error.code, starts(device)]).toEqual(['ERR_REJECTED_CREDENTIALS', 1]);
    await device.clock.hold(device.activate(password(device, 'paired sesame', 1)));
    expect([device.client.state, starts(device)]).toEqual(['active', 2]);
  });

  it('goes on to no other slot after an error that says nothing about the secret', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'open sesame');
    device.uem.refused = { refusal: 'compliance' };
    await device.clock.hold(errorOf(device.activate(password(device, 'open sesame'))));
    expect(starts(device)).toBe(1);
  });
});

describe('the notice of the organisation (F1.5)', () => {
  const noticed = (consent?: TestDeviceOptions['consent']): Promise<TestDevice> => testDevice(consent === undefined ? NOTICE : { ...NOTICE, consent });

  it('is shown to the user before anything is configured', async () => {
    const shown: string[] = [];
    const device: TestDevice = await noticed(async (notice) => {
      shown.push(`${notice} ${device.os.configured}`);
      return true;
    });
    await device.activate();
    expect(shown).toEqual(['This device belongs to Example Ltd. 0']);
    expect(device.told('activationprogress').map(({ phase }) => phase)).toContain('consented');
    expect(device.client.state).toBe('active');
  });

  it.each([
    ['the user declines', async () => false],
    ['nobody can be asked', undefined],
  ])('ends the activation when %s: typed, with nothing left on the device or the server', async (_name, consent) => {
    const device = await noticed(consent);
    const error = await errorOf(device.activate());
    expect(error).toMatchObject({ code: 'ERR_DEVICE_CONSENT', step: 'F1.5', retry: 'never' });
    expect([device.uem.devices.size, device.os.configured, device.client.state]).toEqual([0, 0, 'inactive']);
    expect([...device.store.snapshot()].map(([key]) => key).filter((key) => !key.startsWith('uem/departure'))).toEqual([]);
    // Another try begins anew, and asks again.
    await errorOf(device.activate());
    expect(starts(device)).toBe(2);
  });

  it('is told to the server after a crash, too, and an answer that was lost costs nothing', async () => {
    const device = await noticed(async () => false);
    device.uem.fault = (_service, frame) => (frame === 'activationDone' ? 'loseAnswer' : undefined);
    await expect(device.activate()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    const again = device.restarted();
    again.uem.fault = () => undefined;
    await expect(again.client.open()).rejects.toMatchObject({ code: 'ERR_DEVICE_CONSENT' });
    expect([again.client.state, again.uem.devices.size]).toEqual(['inactive', 0]);
  });
});

describe('deactivation by the user', () => {
  it('tells UEM, then destroys the identity', async () => {
    const device = await activeTestDevice();
    const { only } = device.uem;
    await device.client.deactivate();
    expect([only.state, device.client.state, device.client.deviceId]).toEqual(['deactivated', 'inactive', undefined]);
    expect(device.os.deactivations).toEqual(['user']);
    expect(
      device
        .told('statechange')
        .map(({ state }) => state)
        .slice(-2),
    ).toEqual(['leaving', 'inactive']);
    await device.clock.settle();
    expect([device.clock.pendingTimers, device.uem.pushes.size]).toEqual([0, 0]);
    const restarted = device.restarted();
    await restarted.client.open();
    expect(restarted.client.state).toBe('inactive');
    await restarted.activate();
    expect(restarted.client.state).toBe('active');
  });

  it('leaves the device as it was when UEM cannot be told, and may be repeated', async () => {
    const device = await activeTestDevice();
    device.uem.fault = (_service, frame) => (frame === 'deactivate' ? 'lose' : undefined);
    await expect(device.client.deactivate()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    expect([device.client.state, device.os.deactivations, device.uem.only.state]).toEqual(['active', [], 'active']);
    await device.client.poll();
    device.uem.fault = () => undefined;
    await device.client.deactivate();
    expect(device.client.state).toBe('inactive');
  });

  it('takes a verdict for an answer: a UEM that has ended the device needs not be told', async () => {
    const device = await activeTestDevice();
    device.uem.only.state = 'revoked';
    await device.client.deactivate();
    expect([device.client.state, device.os.deactivations]).toEqual(['inactive', ['user']]);
  });

  it('is for an active device', async () => {
    const device = await testDevice();
    await expect(device.client.deactivate()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    expect(wire.FRAME_TYPES.deactivate).toBe(0x76);
  });
});

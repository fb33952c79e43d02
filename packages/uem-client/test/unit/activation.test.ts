import type { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import type { ActivationCredentials } from '../../src/index.ts';
import { type TestDevice, testDevice } from '../support/test-device.ts';

function password(device: TestDevice, value: string): ActivationCredentials {
  return { kind: 'password', userId: ' Alice@Example.com', password: value, infrastructure: { address: 'infrastructure:1', trust: device.uem.trust } };
}

/** All that a device with a password sends in F1. */
const SENT = ['discoveryRequest', 'activationStart', 'activationShare', 'activationRequest', 'activationDone'] as const;

describe('activation (F1)', () => {
  it('goes through F1.2 to F1.5 with a password, in this order', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'open sesame');
    await device.clock.hold(device.activate(password(device, 'open sesame')));
    expect(device.client.state).toBe('active');
    expect(device.uem.only.userId).toBe('alice@example.com');
    expect(device.client.deviceId).toBe(device.uem.only.deviceId);
    expect(device.told('activationprogress').map(({ step, phase }) => `${step} ${phase}`)).toEqual([
      'F1.2 credentialsTaken',
      'F1.3 discovered',
      'F1.3 requested',
      'F1.4 serverAuthenticated',
      'F1.4 certificateReceived',
      'F1.5 configured',
      'F1.5 confirmed',
    ]);
    expect(device.told('statechange').map(({ state }) => state)).toEqual(['activating', 'active']);
    // The connection of the confirmation stays for a first poll, then it is released.
    await device.clock.advance(1_000);
    expect([device.uem.released > 0, device.clock.pendingTimers]).toEqual([true, 0]);
  });

  it('goes on trusting the roots that it was given when the discovery names pins besides', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'open sesame');
    const spkiPins = [new Uint8Array(32).fill(7)];
    device.uem.discoveryAnswer = wire.discoveryResponse.encode({ version: 1, tenantId: 'tenant', activationAddress: 'activation:1', spkiPins });
    await device.clock.hold(device.activate(password(device, 'open sesame')));
    const { roots } = device.uem.trust;
    expect(roots).not.toEqual([]);
    const services = device.uem.requests.map((request) => request.split(' ')[0]);
    const trustOf = (service: string): unknown[] => device.uem.trusts.filter((_, index) => services[index] === service);
    expect(trustOf('discovery')).toEqual([device.uem.trust]);
    expect(trustOf('activation')).toEqual(Array(3).fill({ roots, spkiPins }));
  });

  it('asks nobody for the address with a QR code', async () => {
    const device = await testDevice();
    await device.activate();
    expect(device.uem.requests.filter((request) => request.startsWith('discovery'))).toEqual([]);
    expect(device.uem.only.state).toBe('active');
  });

  it('ends with ERR_REJECTED_CREDENTIALS at F1.4 for a wrong password and for an unknown user alike', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'open sesame');
    const wrong = await device.clock.hold(device.activate(password(device, 'close sesame')).catch((error: unknown) => error as ProtocolError));
    const unknown = await device.clock.hold(
      device
        .activate({ ...password(device, 'open sesame'), userId: 'bob@example.com' } as ActivationCredentials)
        .catch((error: unknown) => error as ProtocolError),
    );
    for (const error of [wrong, unknown]) expect(error).toMatchObject({ code: 'ERR_REJECTED_CREDENTIALS', step: 'F1.4', retry: 'reactivate' });
    expect((unknown as ProtocolError).message).toBe((wrong as ProtocolError).message);
    expect(device.uem.devices.size).toBe(0);
    // The right password still works afterwards.
    await device.clock.hold(device.activate(password(device, 'open sesame')));
    expect(device.client.state).toBe('active');
  });

  it.each([
    ['text that is no QR code', 'hello world'],
    ['base64url of something else', 'AAAA'],
  ])('refuses %s at F1.2, without repeating it', async (_name, content) => {
    const device = await testDevice();
    const error = (await device.activate({ kind: 'qr', content }).catch((reason: unknown) => reason)) as ProtocolError;
    expect(error).toMatchObject({ code: 'ERR_USAGE_ARGUMENT', step: 'F1.2' });
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain(content);
    expect([device.client.state, device.uem.requests]).toEqual(['inactive', []]);
  });

  it('refuses a QR code that is out of date before anything is sent', async () => {
    const device = await testDevice();
    const content = device.uem.qrCode('alice@example.com', 1_000);
    await device.clock.advance(1_000);
    await expect(device.activate({ kind: 'qr', content })).rejects.toMatchObject({ code: 'ERR_REJECTED_EXPIRED' });
    expect(device.uem.requests).toEqual([]);
  });

  it('sends these frames and no others', async () => {
    const device = await testDevice();
    await device.uem.setPassword('alice@example.com', 'open sesame');
    await device.clock.hold(device.activate(password(device, 'open sesame')));
    expect(device.uem.requests.map((request) => request.split(' ')[1])).toEqual(SENT);
  });

  it.each(SENT)('can be repeated after %s or its answer was lost, and leaves one device', async (name) => {
    for (const fault of ['lose', 'loseAnswer'] as const) {
      const device = await testDevice({ seed: `${name} ${fault}` });
      await device.uem.setPassword('alice@example.com', 'open sesame');
      device.uem.fault = (_service, frame) => (frame === name ? fault : undefined);
      const failed = device.clock.hold(device.activate(password(device, 'open sesame')));
      await expect(failed).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: expect.stringMatching(/^F1\.[345]$/) });
      expect(device.client.state).toBe('activating');
      device.uem.fault = () => undefined;
      await device.clock.hold(device.activate(password(device, 'open sesame')));
      expect([...device.uem.devices.values()].map(({ state }) => state)).toEqual(['active']);
      expect(device.os.configured).toBe(1);
    }
  });

  it('gives up a server that does not answer, by its own clock', async () => {
    const device = await testDevice({ limits: { requestTimeoutMs: 5_000 } });
    await device.uem.setPassword('alice@example.com', 'open sesame');
    device.uem.fault = (service) => (service === 'discovery' ? 'hang' : undefined);
    const outcome = device.activate(password(device, 'open sesame')).catch((error: unknown) => error);
    await device.clock.advance(5_000);
    expect(await outcome).toMatchObject({ code: 'ERR_TRANSPORT_TIMEOUT', step: 'F1.3' });
    device.uem.fault = (service) => (service === 'activation' ? 'hang' : undefined);
    const later = device.activate(password(device, 'open sesame')).catch((error: unknown) => error);
    await device.clock.advance(wire.LIMITS.handshakeMs);
    expect(await later).toMatchObject({ code: 'ERR_PEER_TIMEOUT', step: 'F1.4' });
  });

  it('stops at an abort with its reason, and goes on later', async () => {
    const device = await testDevice();
    const abort = new AbortController();
    device.uem.fault = (_service, frame) => (frame === 'activationShare' ? 'hang' : undefined);
    const content = device.uem.qrCode('alice@example.com');
    const activating = device.client.activate({ kind: 'qr', content }, { signal: abort.signal });
    const reason = new Error('enough');
    const stopped = expect(activating).rejects.toBe(reason);
    await device.clock.settle();
    abort.abort(reason);
    await stopped;
    device.uem.fault = () => undefined;
    await device.activate({ kind: 'qr', content });
    expect(device.uem.only.state).toBe('active');
  });

  it('ends when the client is closed', async () => {
    const device = await testDevice();
    device.uem.fault = () => 'hang';
    const ended = expect(device.activate()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await device.clock.settle();
    await device.client.close();
    await ended;
    expect(device.clock.pendingTimers).toBe(0);
  });

  it('refuses another user once the device was accepted, and takes one before that with another key', async () => {
    const device = await testDevice();
    device.uem.fault = (_service, frame) => (frame === 'activationRequest' ? 'lose' : undefined);
    await expect(device.activate()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED' });
    const [firstKey] = [...device.store.snapshot().keys()].filter((key) => key.startsWith('uem/key/'));
    device.uem.fault = (_service, frame) => (frame === 'activationDone' ? 'lose' : undefined);
    const bob = { kind: 'qr', content: device.uem.qrCode('bob@example.com') } as const;
    await expect(device.activate(bob)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_CLOSED', step: 'F1.5' });
    expect([...device.store.snapshot().keys()]).not.toContain(firstKey);
    device.uem.fault = () => undefined;
    await expect(device.activate()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await device.activate(bob);
    expect(device.uem.only.userId).toBe('bob@example.com');
  });

  it('believes no alert of the Infrastructure, which nobody vouches for', async () => {
    for (const [code, error] of [
      ['busy', 'ERR_REJECTED_BUSY'],
      ['revoked', 'ERR_PEER_ALERT'],
    ] as const) {
      const device = await testDevice();
      device.uem.discoveryAnswer = wire.alert.encode({ code });
      await expect(device.activate(password(device, 'x'))).rejects.toMatchObject({ code: error, step: 'F1.3' });
      expect(device.client.state).toBe('activating');
    }
    const device = await testDevice();
    device.uem.discoveryAnswer = wire.idle.encode({ pollIntervalS: 1, pollJitterS: 0, serverTimeEpochS: 0 });
    await expect(device.activate(password(device, 'x'))).rejects.toMatchObject({ code: 'ERR_PEER_UNEXPECTED', step: 'F1.3' });
    device.uem.discoveryAnswer = wire.discoveryResponse.encode({ version: 2, tenantId: 't', activationAddress: 'activation:1', spkiPins: [] });
    await expect(device.activate(password(device, 'x'))).rejects.toMatchObject({ code: 'ERR_PEER_MISMATCH', step: 'F1.3' });
  });

  it('tells the server that the configuration failed, and forgets the activation', async () => {
    const device = await testDevice();
    device.os.configuring = () => ({ status: 'failed', message: 'no room for a work space' });
    await expect(device.activate()).rejects.toMatchObject({ code: 'ERR_DEVICE_CONFIGURATION', step: 'F1.5' });
    expect([device.client.state, device.client.deviceId]).toEqual(['inactive', undefined]);
    expect([...device.uem.devices.values()].map(({ state }) => state)).toEqual(['configurationFailed']);
    expect([...device.store.snapshot().keys()]).toEqual([]);
    device.os.configuring = () => ({ status: 'completed' });
    await device.activate();
    expect(device.client.state).toBe('active');
  });

  it('reports an exception of the operating system as a failed configuration, without its text', async () => {
    const device = await testDevice();
    device.os.configuring = () => {
      throw new Error('secret path');
    };
    const error = (await device.activate().catch((reason: unknown) => reason)) as ProtocolError;
    expect(error.code).toBe('ERR_DEVICE_CONFIGURATION');
    expect(error.message).not.toContain('secret path');
  });

  it('believes a verdict at A7 and starts anew with another key', async () => {
    const device = await testDevice();
    device.uem.fault = (_service, frame) => {
      if (frame === 'activationDone') for (const known of device.uem.devices.values()) known.state = 'revoked';
      return undefined;
    };
    await expect(device.activate()).rejects.toMatchObject({ code: 'ERR_REJECTED_REVOKED', step: 'F1.5' });
    expect([device.client.state, device.os.deactivations]).toEqual(['revoked', ['revoked']]);
    device.uem.fault = () => undefined;
    await device.activate();
    const keys = [...device.uem.devices.values()].map(({ publicKey }) => publicKey);
    expect(keys).toHaveLength(2);
    expect(keys[0]).not.toEqual(keys[1]);
  });

  it.each([
    ['a clock that is a day behind', -86_400_000 + 60_000, undefined],
    ['a clock that is a day ahead', 86_400_000, undefined],
    ['a clock that is two days behind', -2 * 86_400_000, 'ERR_CERTIFICATE_VALIDITY'],
    ['a clock that is two years ahead', 2 * 365 * 86_400_000, 'ERR_CERTIFICATE_VALIDITY'],
  ])('checks the certificate by its clock: %s', async (_name, offsetMs, code) => {
    const device = await testDevice({ clockOffsetMs: offsetMs });
    const tenYearsMs = 10 * 365 * 86_400_000;
    const outcome = device.activate({ kind: 'qr', content: device.uem.qrCode('alice@example.com', tenYearsMs) }).then(
      () => undefined,
      (error: unknown) => (error as ProtocolError).code,
    );
    expect(await outcome).toBe(code);
  });

  it('refuses calls that do not fit', async () => {
    const device = await testDevice();
    const unopened = device.restarted().client;
    await expect(unopened.activate({ kind: 'qr', content: '' })).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE', details: { state: 'inactive' } });
    const credentials = { kind: 'qr', content: device.uem.qrCode('alice@example.com') } as const;
    const first = device.activate(credentials);
    await expect(device.activate(credentials)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await first;
    await expect(device.activate(credentials)).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
    await device.client.open();
    expect(device.client.state).toBe('active');
    await device.client.close();
    await device.client.close();
    expect(() => device.client.start()).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
    await expect(device.client.open()).rejects.toMatchObject({ code: 'ERR_USAGE_STATE' });
  });
});

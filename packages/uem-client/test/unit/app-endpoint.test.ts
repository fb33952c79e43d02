import { ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { appEndpoint, DEFAULT_APP_LIMITS } from '../../src/apps/index.ts';
import { createUemClient } from '../../src/index.ts';
import { type Connection, connect, deviceWithApps, LYING_INSTANCE, lyingApp, onlyMail, runs } from '../support/app-bench.ts';
import { CHAT_ID, CLIENT_ID, EVIL_ID, MAIL_APP, MAIL_ID } from '../support/asking-app.ts';
import { activeTestDevice, crypto, type TestDevice, testDevice } from '../support/test-device.ts';

const SECOND_MS = 1_000;

/** A connection with an app, and how both ended. */
async function asks(device: TestDevice, more: Parameters<typeof runs>[2] = {}, reported?: string) {
  const connection = connect(device, reported ?? more.platformId);
  const app = runs(device, connection, more);
  await device.clock.advance(3 * SECOND_MS);
  return { connection, app, told: await app.outcome };
}

describe('an app that asks for an access key (F3.3 to F3.6)', () => {
  it('gets the key of UEM for its nonce, and the device of the certificate', async () => {
    const device = await deviceWithApps();
    const { app, connection } = await asks(device);
    const { keyId, record } = await app.ended;
    expect(connection.outcome).toBe('done');
    expect(device.uem.onlyOnce).toEqual(['device accessKeyForward']);
    const [request, ...others] = device.uem.keyRequests;
    expect(others).toEqual([]);
    expect(request).toMatchObject({ appId: MAIL_APP, instanceId: app.instanceId, platformId: MAIL_ID, deviceId: device.client.deviceId });
    expect(record).toMatchObject({ userId: 'alice@example.com', device: { deviceId: device.client.deviceId } });
    expect(await app.record()).toEqual(record);
    expect(keyId).toHaveLength(16);
  });

  it('is told about step by step', async () => {
    const device = await deviceWithApps();
    const { app } = await asks(device);
    const asking = { platformId: MAIL_ID, appId: MAIL_APP, instanceId: app.instanceId };
    expect(device.told('appprogress')).toEqual([
      { step: 'F3.3', phase: 'admitted', app: asking },
      { step: 'F3.4', phase: 'requested', app: asking },
      { step: 'F3.5', phase: 'answered', app: asking },
      { step: 'F3.6', phase: 'handedOver', app: asking },
    ]);
    expect(device.told('appfailed')).toEqual([]);
  });

  it('shows in the trace with its flow steps', async () => {
    const frames: string[] = [];
    const device = await deviceWithApps(
      {},
      { trace: ({ step, from, to, frame }) => frames.push(`${step} ${from} ${to} ${wire.peekFrameName(frame) ?? 'record'}`) },
    );
    frames.length = 0;
    await asks(device);
    const id = device.client.deviceId;
    expect(frames).toEqual([
      `F3.3 app ${id} handshakeStart`,
      `F3.3 ${id} app handshakeReply`,
      `F3.3 app ${id} handshakeFinish`,
      `F3.3 app ${id} record`,
      `F3.4 ${id} uem accessKeyForward`,
      `F3.5 uem ${id} accessKeyResponse`,
      `F3.6 ${id} app record`,
    ]);
  });

  it('leaves no connection to UEM open', async () => {
    const device = await deviceWithApps();
    await device.clock.advance(3 * SECOND_MS);
    const before = device.uem.released;
    const { told } = await asks(device);
    expect([told, device.uem.released]).toEqual(['done', before + 1]);
  });
});

describe('an app that may not ask', () => {
  it.each([
    ['another app', CHAT_ID],
    ['the package of an app under another signature', EVIL_ID],
  ])('is shown no certificate: %s', async (_what, platformId) => {
    const device = await deviceWithApps();
    await device.clock.advance(3 * SECOND_MS);
    const timers = device.clock.pendingTimers;
    const { connection, told } = await asks(device, { platformId });
    expect([connection.toApp, device.clock.pendingTimers]).toEqual([['alert'], timers]);
    expect([told, connection.outcome]).toEqual(['ERR_PEER_ALERT', 'ERR_CRYPTO_KEY_CONFIRMATION F3.3']);
    expect(device.told('appfailed')).toMatchObject([{ platformId, app: { platformId }, error: { step: 'F3.3' } }]);
    expect([device.events.includes('appprogress'), device.uem.keyRequests]).toEqual([false, []]);
  });

  it('says that it is another one than the operating system reports', async () => {
    const device = await deviceWithApps();
    // The system knows it as the mail app; the app believes that it is the chat app.
    const { told, connection } = await asks(device, { platformId: CHAT_ID }, MAIL_ID);
    expect([told, connection.fromApp]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', ['handshakeStart', 'alert']]);
    expect(device.uem.keyRequests).toEqual([]);
  });

  it('meets something else than this UEM Client', async () => {
    const device = await deviceWithApps();
    const { told } = await asks(device, { clientPlatformId: CHAT_ID });
    expect([told, device.uem.keyRequests]).toEqual(['ERR_CRYPTO_KEY_CONFIRMATION', []]);
  });

  it('has the ids of its first message looked at, too', async () => {
    const device = await deviceWithApps({ mayAsk: async ({ platformId, appId }) => platformId === MAIL_ID && appId === MAIL_APP });
    expect((await asks(device, { appId: 'com.example.chat' })).connection.toApp).toEqual(['alert']);
    expect((await asks(device)).told).toBe('done');
  });

  it('asks in the channel for another app or installation than its first message named', async () => {
    for (const wrong of [{ appId: 'com.example.chat' }, { instanceId: new Uint8Array(16) }]) {
      const device = await deviceWithApps();
      const connection = connect(device);
      const says = lyingApp(device, connection);
      await device.clock.advance(10);
      says(wire.accessKeyRequest.encode({ appId: MAIL_APP, instanceId: LYING_INSTANCE, nonce: new Uint8Array(32), ...wrong }));
      await device.clock.advance(3 * SECOND_MS);
      expect([connection.outcome, device.uem.keyRequests]).toEqual(['ERR_PEER_MISMATCH F3.3', []]);
    }
  });

  it('meets a policy that fails: nothing of why leaves the device', async () => {
    const device = await deviceWithApps({
      mayAsk: () => {
        throw new Error('secret path');
      },
    });
    const { connection, told } = await asks(device);
    expect([told, connection.outcome, connection.toApp]).toEqual(['ERR_PEER_ALERT', 'ERR_INTERNAL F3.3', ['alert']]);
    expect(connection.error).toMatchObject({ cause: { message: 'secret path' } });
  });
});

describe('UEM', () => {
  it.each<[string, wire.AlertCode]>([
    ['refuses the app', 'authFailed'],
    ['has answered this nonce before', 'badMessage'],
  ])('%s: the app is refused in the channel', async (_what, alert) => {
    const device = await deviceWithApps();
    device.uem.keyAnswer = () => alert;
    const { connection, told } = await asks(device);
    expect([told, connection.outcome]).toEqual(['ERR_PEER_ALERT', 'ERR_PEER_ALERT F3.5']);
    expect(connection.toApp).toEqual(['handshakeReply', 'record']);
  });

  it.each<[string, (device: TestDevice) => void]>([
    ['cannot be reached', ({ uem }) => (uem.fault = () => new ProtocolError('ERR_TRANSPORT_CONNECT', 'nobody there'))],
    ['loses the answer', ({ uem }) => (uem.fault = () => 'loseAnswer')],
    ['is busy', ({ uem }) => (uem.keyAnswer = () => 'busy')],
    ['has a bug', ({ uem }) => (uem.keyAnswer = () => 'internal')],
    ['calls the certificate out of date', ({ uem }) => (uem.keyAnswer = () => 'expired')],
  ])('%s: that is no refusal, and the app comes again', async (_what, spoil) => {
    const device = await deviceWithApps();
    const heal = device.uem.keyAnswer;
    spoil(device);
    const { app, told } = await asks(device);
    expect(told).toBe('ERR_REJECTED_BUSY');
    await expect(app.ended).rejects.toMatchObject({ retry: 'backoff', step: 'F3.6' });
    expect(device.told('appfailed')).toMatchObject([{ error: { step: 'F3.5' } }]);
    expect(['active', 'expired']).toContain(device.client.state);
    device.uem.fault = () => undefined;
    device.uem.keyAnswer = heal;
    expect((await asks(device)).told).toBe('done');
  });

  it('does not answer in time', async () => {
    const device = await deviceWithApps();
    device.uem.fault = (_service, name) => (name === 'accessKeyForward' ? 'hang' : undefined);
    const connection = connect(device);
    const app = runs(device, connection);
    await device.clock.advance(32 * SECOND_MS);
    expect([await app.outcome, connection.outcome]).toEqual(['ERR_REJECTED_BUSY', 'ERR_TRANSPORT_TIMEOUT F3.5']);
  });

  it('answers another nonce: no key reaches the app', async () => {
    const device = await deviceWithApps();
    device.uem.keyAnswer = () => ({ nonce: new Uint8Array(32) });
    const { connection, told, app } = await asks(device);
    expect([told, connection.outcome]).toEqual(['ERR_PEER_ALERT', 'ERR_PEER_MISMATCH F3.6']);
    expect(await app.record()).toBeUndefined();
  });

  it('answers with something else', async () => {
    const device = await deviceWithApps();
    device.uem.keyAnswer = () => wire.acknowledgement.encode({ ok: true });
    const { connection, told } = await asks(device);
    expect([told, connection.outcome]).toEqual(['ERR_PEER_ALERT', 'ERR_PEER_UNEXPECTED F3.5']);
  });

  it('has revoked the device: a poll ends it', async () => {
    const device = await deviceWithApps();
    device.uem.only.state = 'revoked';
    const { told } = await asks(device);
    expect([told, device.client.state]).toEqual(['ERR_PEER_ALERT', 'revoked']);
  });
});

function byCommand(device: TestDevice): Promise<void> {
  device.uem.send(device.uem.only, 'DELETE_DEVICE_DATA');
  return device.client.poll();
}

async function byVerdict(device: TestDevice): Promise<void> {
  device.uem.only.state = 'revoked';
  await expect(device.client.poll()).rejects.toMatchObject({ code: 'ERR_REJECTED_REVOKED' });
}

describe('a device that is wiped while an app waits', () => {
  async function waiting(): Promise<{ device: TestDevice; connection: Connection; app: ReturnType<typeof runs> }> {
    const device = await deviceWithApps();
    let hangs = true;
    device.uem.fault = (_service, name) => (hangs && name === 'accessKeyForward' ? 'hang' : undefined);
    const connection = connect(device);
    const app = runs(device, connection);
    await device.clock.advance(100);
    expect(device.told('appprogress').at(-1)?.phase).toBe('requested');
    hangs = false;
    return { device, connection, app };
  }

  it.each<[string, (device: TestDevice) => Promise<unknown>]>([
    ['by a command', byCommand],
    ['by its user', (device) => device.client.deactivate()],
    ['by UEM', byVerdict],
    ['by the end of the process', (device) => device.client.close()],
  ])('gives no key: %s', async (_how, wipe) => {
    const { device, connection, app } = await waiting();
    await wipe(device);
    await device.clock.advance(2 * SECOND_MS);
    expect([connection.outcome, await app.outcome]).toEqual(['ERR_USAGE_STATE F3.4', 'ERR_TRANSPORT_CLOSED']);
    expect(connection.toApp).toEqual(['handshakeReply']);
    // Nobody is served after that.
    const late = connect(device);
    await device.clock.advance(2 * SECOND_MS);
    expect([late.outcome, late.toApp]).toEqual(['ERR_USAGE_STATE F3.3', []]);
  });

  it('ends an app that came while UEM was told', async () => {
    const device = await deviceWithApps();
    const came: Connection[] = [];
    device.uem.fault = (_service, name) => {
      if (name === 'deactivate') came.push(connect(device));
      return undefined;
    };
    await device.client.deactivate();
    await device.clock.settle();
    expect(came.map(({ outcome }) => outcome)).toEqual(['ERR_USAGE_STATE F3.3']);
  });

  it('takes no app from the command on', async () => {
    const device = await deviceWithApps();
    const came: Connection[] = [];
    device.client.addEventListener('statechange', ({ detail }) => {
      if (detail.state === 'leaving') came.push(connect(device));
    });
    await byCommand(device);
    await device.clock.settle();
    expect(came.map(({ outcome }) => outcome)).toEqual(['ERR_USAGE_STATE F3.3']);
    expect(came[0]?.error).toMatchObject({ details: { state: 'leaving' } });
  });

  it('gives no key while the operating system clears up', async () => {
    const { device, connection } = await waiting();
    const seen: unknown[] = [];
    device.os.deactivated = async () => {
      await new Promise(setImmediate);
      seen.push(connection.outcome);
    };
    await byCommand(device);
    await device.clock.settle();
    expect(seen).toEqual(['ERR_USAGE_STATE F3.4']);
  });

  it('serves apps again when UEM could not be told', async () => {
    const device = await deviceWithApps();
    device.uem.fault = (_service, name) => (name === 'deactivate' ? 'hang' : undefined);
    const leaving = device.client.deactivate();
    const gone = leaving.catch(({ code }: { code: string }) => code);
    const connection = connect(device);
    runs(device, connection);
    await device.clock.advance(40 * SECOND_MS);
    // UEM could not be told, so the device is as it was.
    expect([await gone, device.client.state]).toEqual(['ERR_TRANSPORT_TIMEOUT', 'active']);
    expect((await asks(device)).told).toBe('done');
  });
});

describe('secrets', () => {
  it('are gone from the answer of UEM, also when it cannot be read', async () => {
    const keyless = wire.accessKeyResponse.encode({
      accessKey: '0'.repeat(15),
      keyId: new Uint8Array(16),
      nonce: new Uint8Array(32),
      expiryEpochS: 1,
      userId: 'a',
    });
    keyless[keyless.length - 1] = 0xff;
    for (const answer of [{}, keyless]) {
      const device = await deviceWithApps();
      device.uem.keyAnswer = () => answer;
      await asks(device);
      expect(device.uem.lastKey?.length).toBeGreaterThan(0);
      expect(device.uem.lastKey?.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('of a channel are gone when the client is closed in the middle', async () => {
    const ciphers = { made: 0, wiped: 0 };
    const cbcHs512: typeof crypto.cbcHs512 = (key) => {
      const made = crypto.cbcHs512(key);
      ciphers.made++;
      return {
        ...made,
        wipe() {
          ciphers.wiped++;
          made.wipe();
        },
      };
    };
    const device = await deviceWithApps({}, { provider: { ...crypto, cbcHs512 } });
    device.uem.fault = (_service, name) => (name === 'accessKeyForward' ? 'hang' : undefined);
    Object.assign(ciphers, { made: 0, wiped: 0 });
    runs(device, connect(device));
    await device.clock.advance(100);
    expect(ciphers).toEqual({ made: 2, wiped: 0 });
    await device.client.close();
    await device.clock.advance(100);
    expect(ciphers).toEqual({ made: 2, wiped: 2 });
  });
});

describe('a client without apps', () => {
  it.each([
    ['is not active', () => testDevice({ apps: appEndpoint({ platformId: CLIENT_ID, mayAsk: () => true }) })],
    ['has no policy', () => activeTestDevice()],
  ])('closes the link when it %s', async (_what, make) => {
    const device = await make();
    const connection = connect(device);
    const app = runs(device, connection);
    await device.clock.advance(2 * SECOND_MS);
    expect([connection.outcome, await app.outcome, connection.toApp]).toEqual(['ERR_USAGE_STATE F3.3', 'ERR_TRANSPORT_CLOSED', []]);
  });

  it('learns at once what its policy lacks', () => {
    const port = {} as never;
    const options = { crypto: port, clock: port, entropy: port, store: port, keyStore: port, transport: port, operatingSystem: OS };
    const refused = expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' });
    expect(() => appEndpoint({ platformId: '', mayAsk: () => true })).toThrow(refused);
    expect(() => appEndpoint({ platformId: CLIENT_ID } as never)).toThrow(refused);
    expect(() => createUemClient({ ...options, apps: onlyMail as never })).toThrow(refused);
  });
});

describe('bounds', () => {
  it('turns away a third connection of one app, and a seventeenth of all', async () => {
    const device = await deviceWithApps();
    const ofMail = [connect(device), connect(device), connect(device)];
    await device.clock.settle();
    expect(ofMail.map(({ outcome }) => outcome)).toEqual([undefined, undefined, 'ERR_REJECTED_BUSY F3.3']);
    expect(ofMail[2]?.toApp).toEqual(['alert']);
    const others = Array.from({ length: DEFAULT_APP_LIMITS.connections - 1 }, (_, index) => connect(device, `android:app${index}:00`));
    await device.clock.settle();
    expect(others.map(({ outcome }) => outcome)).toEqual([...others.slice(1).map(() => undefined), 'ERR_REJECTED_BUSY F3.3']);
    expect(device.told('appfailed')).toMatchObject([{ platformId: MAIL_ID }, { error: { code: 'ERR_REJECTED_BUSY' } }]);
    // Half open ones make room again.
    await device.clock.advance(DEFAULT_APP_LIMITS.idleMs);
    expect((await asks(device)).told).toBe('done');
  });

  it('ends a connection on which nothing comes, before the first message and after M2', async () => {
    const device = await deviceWithApps();
    const silent = connect(device);
    const stalled = connect(device);
    lyingApp(device, stalled, { finishes: false });
    await device.clock.advance(DEFAULT_APP_LIMITS.idleMs - 1);
    expect([silent.outcome, stalled.outcome, stalled.toApp]).toEqual([undefined, undefined, ['handshakeReply']]);
    await device.clock.advance(2);
    expect([silent.outcome, stalled.outcome]).toEqual(['ERR_PEER_TIMEOUT F3.3', 'ERR_PEER_TIMEOUT F3.3']);
    expect(device.clock.pendingTimers).toBeLessThan(5);
  });

  it('does not take its own work for silence of the app', async () => {
    let admit: (admitted: boolean) => void = () => undefined;
    const answered = new Promise<boolean>((resolve) => {
      admit = resolve;
    });
    const device = await deviceWithApps({ mayAsk: () => answered });
    const connection = connect(device);
    const app = runs(device, connection);
    await device.clock.advance(DEFAULT_APP_LIMITS.idleMs + 20 * SECOND_MS);
    admit(true);
    await device.clock.advance(3 * SECOND_MS);
    expect(await app.outcome).toBe('done');
  });

  it('admits an app five times in ten minutes, whatever becomes of it, and other apps all the same', async () => {
    const device = await deviceWithApps({ mayAsk: () => true });
    for (let request = 0; request < 5; request++) expect((await asks(device)).told).toBe('done');
    const sixth = await asks(device);
    expect([sixth.told, sixth.connection.outcome, sixth.connection.toApp]).toEqual(['ERR_REJECTED_BUSY', 'ERR_REJECTED_BUSY F3.3', ['alert']]);
    expect((await asks(device, { platformId: CHAT_ID })).told).toBe('done');
    expect(device.uem.keyRequests).toHaveLength(6);
    await device.clock.advance(600_000);
    expect((await asks(device)).told).toBe('done');
  });

  it('counts what never reached UEM for ten seconds only: whoever goes on asking is through once UEM is there', async () => {
    const device = await deviceWithApps({ limits: { requestsPerApp: 2 } });
    device.uem.fault = () => new ProtocolError('ERR_TRANSPORT_CONNECT', 'nobody there');
    const outcomes: (string | undefined)[] = [];
    for (let request = 0; request < 9; request++) outcomes.push((await asks(device)).connection.outcome);
    const [unreached, tooOften] = ['ERR_TRANSPORT_CONNECT F3.5', 'ERR_REJECTED_BUSY F3.3'];
    // One each 3 s, two of them in any 10 s.
    expect(outcomes).toEqual([unreached, unreached, tooOften, tooOften, unreached, unreached, tooOften, tooOften, unreached]);
    device.uem.fault = () => undefined;
    await device.clock.advance(10 * SECOND_MS);
    expect((await asks(device)).told).toBe('done');
  });

  it.each<[string, (device: TestDevice) => void]>([
    ['reached UEM, and its answer was lost', ({ uem }) => (uem.fault = () => 'loseAnswer')],
    ['UEM was too busy for', ({ uem }) => (uem.keyAnswer = () => 'busy')],
    ['UEM has refused', ({ uem }) => (uem.keyAnswer = () => 'authFailed')],
    [
      'may have reached UEM, as far as a `fetch` of the platform says',
      ({ uem }) => (uem.fault = () => new ProtocolError('ERR_TRANSPORT_CONNECT', 'the request failed', { details: { sent: 'unknown' } })),
    ],
  ])('counts for ten minutes what %s', async (_what, spoil) => {
    const device = await deviceWithApps({ limits: { requestsPerApp: 1 } });
    const [heal, answer] = [device.uem.fault, device.uem.keyAnswer];
    spoil(device);
    await asks(device);
    Object.assign(device.uem, { fault: heal, keyAnswer: answer });
    await device.clock.advance(590 * SECOND_MS);
    expect((await asks(device)).connection.outcome).toBe('ERR_REJECTED_BUSY F3.3');
    await device.clock.advance(10 * SECOND_MS);
    expect((await asks(device)).told).toBe('done');
  });

  it('counts an app that comes and goes before it has asked for anything', async () => {
    const device = await deviceWithApps({ limits: { requestsPerApp: 1 } });
    const connection = connect(device);
    lyingApp(device, connection, { finishes: false });
    await device.clock.advance(100);
    connection.link.cut();
    await device.clock.advance(30 * SECOND_MS);
    expect((await asks(device)).connection.outcome).toBe('ERR_REJECTED_BUSY F3.3');
  });

  it('drops what an app sends while UEM is asked, and serves others meanwhile', async () => {
    const device = await deviceWithApps({ mayAsk: () => true });
    let hangs = true;
    device.uem.fault = (_service, name) => (hangs && name === 'accessKeyForward' ? 'hang' : undefined);
    const connection = connect(device);
    const app = runs(device, connection);
    await device.clock.advance(100);
    for (let frame = 0; frame < 2_000; frame++) connection.link.initiator.send(Uint8Array.of(0x17));
    hangs = false;
    expect((await asks(device, { platformId: CHAT_ID })).told).toBe('done');
    await device.clock.advance(30 * SECOND_MS);
    expect([await app.outcome, connection.outcome]).toEqual(['ERR_REJECTED_BUSY', 'ERR_TRANSPORT_TIMEOUT F3.5']);
  });

  it('closes when the app goes, and takes an abort of its caller', async () => {
    const device = await deviceWithApps();
    device.uem.fault = (_service, name) => (name === 'accessKeyForward' ? 'hang' : undefined);
    const leaving = connect(device);
    runs(device, leaving);
    await device.clock.advance(100);
    leaving.link.cut();
    await device.clock.settle();
    expect(leaving.outcome).toBe('ERR_TRANSPORT_CLOSED F3.6');
    const abort = new AbortController();
    const aborted = connect(device, MAIL_ID, abort.signal);
    const app = runs(device, aborted);
    await device.clock.advance(100);
    const failures = device.told('appfailed').length;
    abort.abort(new Error('enough'));
    await device.clock.advance(2 * SECOND_MS);
    expect([aborted.error, await app.outcome, device.told('appfailed').length]).toEqual([new Error('enough'), 'ERR_TRANSPORT_CLOSED', failures]);
    const late = connect(device, MAIL_ID, AbortSignal.abort(new Error('before')));
    await device.clock.advance(2 * SECOND_MS);
    expect([late.error, late.toApp]).toEqual([new Error('before'), []]);
  });
});

const OS = { deviceInfo: () => ({}), configure: () => ({}), execute: () => ({}), deactivated: () => undefined } as never;

import { createHash } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import * as wire from '@uemkit/protocol/wire';
import { describe, expect, it } from 'vitest';
import { MESSAGE_RULES } from '../../src/trace/message-rules.ts';
import { traceLine } from '../../src/trace/trace-line.ts';
import { TraceWriter } from '../../src/trace/trace-writer.ts';

const hash = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const event = (frame: Uint8Array) => ({ step: 'F5.4', from: 'uem', to: 'device', frame, timeMs: Date.UTC(2026, 0, 1) });
const secretBytes = (length: number): Uint8Array => new Uint8Array(length).fill(0xa7);

describe('traceLine', () => {
  it('says who sent what when, decoded', () => {
    const frame = wire.idle.encode({ pollIntervalS: 60, pollJitterS: 5, serverTimeEpochS: 9 });
    expect(traceLine(4, event(frame), hash)).toEqual({
      time: '2026-01-01T00:00:00.000Z',
      device: 4,
      step: 'F5.4',
      from: 'uem',
      to: 'device',
      message: 'idle',
      bytes: frame.length,
      body: { pollIntervalS: 60, pollJitterS: 5, serverTimeEpochS: 9 },
    });
  });

  it('hides a new device password, and anything else in a command that is not on the list', () => {
    const properties = { password: 'top-secret-password', message: 'bring it back', policy: { wifi: 'wifi-secret' } };
    const frame = wire.command.encode({ commandId: secretBytes(16), type: 'LOCK_DEVICE', properties, issuedAtEpochS: 1 });
    const line = JSON.stringify(traceLine(0, event(frame), hash));
    expect(line).toContain('bring it back');
    expect(line).not.toContain('top-secret');
    expect(line).not.toContain('wifi-secret');
    expect(line).toContain('"password":{"hidden":"text","characters":19}');
  });

  it.each([
    ['a push token in a poll', wire.poll.encode({ reason: 'wakeUp', pushToken: secretBytes(32) })],
    ['a push token in a registration', wire.pushRegister.encode({ service: 'fcm', token: secretBytes(32) })],
    ['a push token that is given out', wire.pushRegistered.encode({ token: secretBytes(32), pingIntervalS: 5 })],
    ['a record', wire.activationResult.encode({ record: secretBytes(100) })],
    ['a confirmation', wire.activationRequest.encode({ activationId: secretBytes(16), confirmP: secretBytes(32), record: secretBytes(64) })],
    ['the nonce of an access key', wire.accessKeyForward.encode({ appId: 'a', instanceId: new Uint8Array(16), nonce: secretBytes(32), platformId: 'p' })],
    [
      'an access key',
      wire.accessKeyResponse.encode({ accessKey: 'P6ENP6ENP6ENP6E', keyId: new Uint8Array(16), nonce: secretBytes(32), expiryEpochS: 1, userId: 'alice' }),
    ],
    ['the hash of an access key', wire.nocVerify.encode({ userId: 'alice', accessKeyHash: secretBytes(32), appId: 'a', instanceId: new Uint8Array(16) })],
    [
      'master link key and token',
      wire.nocProvision.encode({
        linkId: new Uint8Array(16),
        masterLinkKey: secretBytes(32),
        tenantId: 't',
        coreId: 'c',
        relayAddresses: ['relay.example:443'],
        token: secretBytes(40),
        tokenExpiryEpochS: 1,
      }),
    ],
    ['what an envelope carries', wire.nocEnvelope.encode({ sessionId: new Uint8Array(16), frame: secretBytes(80) })],
    ['a sealed record', Uint8Array.of(0x17, ...secretBytes(80))],
    ['a message that no rule covers', wire.nocKeyConsumed.encode({ keyId: secretBytes(16), linkId: secretBytes(16) } as never)],
  ])('writes no byte of %s', (_what, frame) => {
    const line = JSON.stringify(traceLine(0, event(frame), hash));
    for (const form of ['a7a7', 'p6en', 'p6en'.toUpperCase(), '167,167']) expect(line).not.toContain(form);
    // No hash of a bearer secret either: it would tell two devices with one token apart, and nothing is gained.
    expect(line).toContain('hidden');
  });

  it('names what cannot be decoded by its error code, and never throws', () => {
    const frame = wire.idle.encode({ pollIntervalS: 60, pollJitterS: 5, serverTimeEpochS: 9 });
    expect(traceLine(0, event(frame.subarray(0, frame.length - 1)), hash)).toMatchObject({ message: 'idle', body: { undecodable: 'ERR_WIRE_TRUNCATED' } });
    expect(traceLine(0, event(Uint8Array.of(1, 2)), hash)).toMatchObject({ message: 'unknown', bytes: 2 });
  });

  it('decodes messages of a handshake with the MAC, or signature and MAC, that ends them', () => {
    const finish = wire.handshakeFinish.encode({ sessionId: new Uint8Array(16) });
    const withTrailer = (bytes: number): Uint8Array => Uint8Array.of(...finish, ...secretBytes(bytes));
    for (const bytes of [0, 32, 96]) {
      expect(traceLine(0, event(withTrailer(bytes)), hash)).toMatchObject({ message: 'handshakeFinish', body: { sessionId: { bytes: 16 } } });
      expect(JSON.stringify(traceLine(0, event(withTrailer(bytes)), hash))).not.toContain('a7a7');
    }
    expect(traceLine(0, event(withTrailer(33)), hash)).toMatchObject({ body: { undecodable: 'ERR_WIRE_TRAILING' } });
    expect(traceLine(0, event(finish.subarray(0, 8)), hash)).toMatchObject({ body: { undecodable: 'ERR_WIRE_TRUNCATED' } });
  });

  it('tells apps, the NOC and the device apart', () => {
    const line = (from: string, to: string) => traceLine(0, { ...event(wire.alert.encode({ code: 'busy' })), from, to }, hash);
    expect(line('device-7', 'app')).toMatchObject({ from: 'device', to: 'app' });
    expect(line('app', 'noc')).toMatchObject({ from: 'app', to: 'noc' });
  });

  it('has a rule for every message that a device sends or receives', () => {
    for (const name of [
      'discoveryRequest',
      'activationStart',
      'activationResult',
      'poll',
      'command',
      'commandResult',
      'idle',
      'wakeUp',
      'pushRegister',
    ] as const) {
      expect(MESSAGE_RULES.has(name)).toBe(true);
    }
  });
});

describe('TraceWriter', () => {
  const frame = wire.idle.encode({ pollIntervalS: 60, pollJitterS: 5, serverTimeEpochS: 9 });

  it('writes one JSON object a line', async () => {
    const stream = new PassThrough();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const writer = new TraceWriter(stream, hash);
    for (let device = 0; device < 3; device++) writer.device(device).message(event(frame));
    await writer.close();
    const lines = Buffer.concat(chunks).toString().trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { device: number }).device)).toEqual([0, 1, 2]);
  });

  it('leaves lines out when nobody takes them, says how many, and does not grow', async () => {
    const taken: string[] = [];
    const release: (() => void)[] = [];
    let held = true;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk.toString());
        if (held) release.push(done);
        else done();
      },
    });
    const writer = new TraceWriter(stream, hash, 1_000);
    for (let device = 0; device < 100; device++) writer.device(device).message(event(frame));
    expect(stream.writableLength).toBeLessThan(2_000);
    held = false;
    for (const done of release) done();
    await writer.close();
    const lines = taken
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { leftOut?: number });
    const left = lines.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0);
    expect(left).toBeGreaterThan(0);
    expect(lines.filter(({ leftOut }) => leftOut === undefined).length + left).toBe(100);
  });

  it('does not end the run when the disk is full, and says so at the end', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) });
    const writer = new TraceWriter(stream, hash);
    writer.device(0).message(event(frame));
    await new Promise<void>((resolve) => stream.once('close', () => resolve()));
    writer.device(1).message(event(frame));
    await expect(writer.close()).rejects.toThrow('disk full');
  });
});

import { describe, expect, it } from 'vitest';
import { x509 } from '../../../src/index.ts';
import * as wire from '../../../src/wire/index.ts';
import {
  ACCESS_KEY,
  APP_ID,
  CHANNELS,
  converse,
  crypto,
  DEVICE_ID,
  IDENTITY_KEY,
  INSTANCE_ID,
  KEY_ID,
  NOW_MS,
  PEERS,
  pair,
  USER,
} from './key-hand-over-bench.ts';

const name = (frame: Uint8Array): string => wire.peekFrameName(frame) ?? 'record';

describe.each(CHANNELS)('an access key is handed over in %s (F3.3, F3.6)', (channel) => {
  it('to the app that asked for it, which begins its activation with it', () => {
    const sides = pair(channel);
    const { app, client } = sides;
    const frames = converse(sides);
    expect(frames.map(name)).toEqual(['handshakeStart', 'handshakeReply', 'handshakeFinish', 'record', 'record']);
    const device = { deviceId: DEVICE_ID, deviceKeyHash: crypto.sha256(x509.publicKeyInfo(IDENTITY_KEY)) };
    expect(app.output).toMatchObject({ keyId: KEY_ID, expiryEpochS: NOW_MS / 1000 + 600 });
    expect(app.record).toEqual({
      phase: 'started',
      userId: USER,
      appId: APP_ID,
      instanceId: INSTANCE_ID,
      device: channel === 'ipc' ? device : undefined,
      key: { kind: 'assisted', accessKey: ACCESS_KEY, nonce: expect.any(Uint8Array) },
    });
    expect(app.output?.record).toEqual(app.record);
    expect(client.output).toEqual({ app: { platformId: PEERS.initiatorPlatformId, appId: APP_ID, instanceId: INSTANCE_ID }, keyId: KEY_ID });
    expect([app.timers.size, client.timers.size, client.grants]).toEqual([0, 0, 1]);
    expect(app.effects.slice(-2).map(({ type }) => type)).toEqual(['persist', 'done']);
  });
});

import { type Lab, MemoryStore, startLab } from '@uemkit/lab-server';
import { ACTIVATION_KEY, restoreActivation, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, describe, expect, it } from 'vitest';
import { sized } from '../../../../scripts/lib/test-sizes.ts';
import { type LabDevice, labDevice } from '../support/lab-device.ts';

const HOUR_MS = 3_600_000;
const DEVICES = sized(60, 150);
const STEPS = 20;
/** Devices that are revoked in each step, and devices that get a command. */
const PER_STEP = { revoked: 2, commands: 10 };
const SEED = 'renewal under load';
/** Bounds a hang; it takes some ten seconds on a machine at rest. */
const PATIENCE_MS = 180_000;

/** A row of the certificate table of UEM, read without its code. */
interface IssuedCertificate {
  readonly deviceId: string;
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly revokedAtMs?: number;
}

let lab: Lab;
let clock: FakeClock;
const stores = { infrastructure: new MemoryStore(), uem: new MemoryStore(), notification: new MemoryStore(), noc: new MemoryStore() };
const devices: LabDevice[] = [];

afterEach(async () => {
  for (const { client } of devices.splice(0)) await client.close();
  await lab.close();
});

async function fleet(): Promise<void> {
  const entropy = seededEntropy(SEED);
  clock = fakeClock(Date.UTC(2026, 0, 15));
  const profile = { pollIntervalS: 3_600, pollJitterS: 600, allowedDevices: DEVICES };
  lab = await startLab({ clock, crypto: nodeCrypto(), entropy: entropy.fork('lab'), stores, profile });
  const { guid } = await lab.admin.createUser({ username: 'fleet@example.com' });
  // No scrypt: the secret in a QR code is random.
  const { content } = await lab.admin.createQrCode(guid, { expireAfterUse: false });
  for (let index = 0; index < DEVICES; index++) {
    const device = labDevice({ clock, entropy: entropy.fork(`device ${index}`), transport: () => lab.transport(`device ${index}`) });
    devices.push(device);
    await device.client.open();
    await clock.hold(device.client.activate({ kind: 'qr', content }));
    device.client.start();
  }
  await clock.settle();
}

function issued(): readonly IssuedCertificate[] {
  const rows = stores.uem.read((view) => view.range({ prefix: 'certificate/', limit: 10 * DEVICES }));
  return rows.map(({ value }) => Object.fromEntries(wire.decodeCbor(value) as ReadonlyMap<string, unknown>) as unknown as IssuedCertificate);
}

async function held({ store }: LabDevice): Promise<readonly Uint8Array[]> {
  return restoreActivation(await store.get(ACTIVATION_KEY))?.details?.certificates ?? [];
}

/** What UEM answers to whoever shows this certificate. */
async function answerTo(certificate: IssuedCertificate): Promise<wire.Frame> {
  const { deviceId, der } = certificate;
  const identity = { deviceId, certificates: [der], keyId: 'kept' };
  const request = { address: lab.connection.devices, service: 'device', frame: wire.poll.encode({ reason: 'schedule' }), trust: lab.trust, identity } as const;
  return wire.parseFrame(await lab.transport('thief').exchange(request));
}

describe('a fleet whose certificates are due (8.7)', () => {
  it('renews while devices are revoked and commands arrive: one good certificate each, none for who is revoked, each command done once', {
    timeout: PATIENCE_MS,
  }, async () => {
    await fleet();
    const chance = seededEntropy(`${SEED}, administrator`);
    const any = <T>(items: readonly T[]): T => items[new DataView(chance.randomBytes(4).buffer).getUint32(0) % items.length] as T;
    const [first] = issued() as [IssuedCertificate];
    const dueMs = first.notBeforeMs + ((first.notAfterMs - first.notBeforeMs) * 2) / 3;
    clock.jumpWallClock(dueMs - HOUR_MS - clock.nowMs());
    // Answers get lost and requests are late, so that renewals are under way when their devices are revoked.
    lab.faults.add({ kind: 'drop', service: 'device', at: 'answer', share: 0.1, seed: 1 });
    lab.faults.add({ kind: 'delay', service: 'device', share: 0.3, seed: 2, delayMs: 5_000 });

    const ids = new Map(devices.map((device) => [device.client.deviceId as string, device]));
    const revoked = new Set<string>();
    const sent: { readonly deviceId: string; readonly commandId: string }[] = [];
    for (let step = 0; step < STEPS; step++) {
      const left = [...ids.keys()].filter((id) => !revoked.has(id));
      for (let n = 0; n < PER_STEP.commands; n++) {
        const deviceId = any(left);
        sent.push({ deviceId, commandId: (await lab.admin.sendCommand(deviceId, { type: 'LOCK_DEVICE' })).commandId });
      }
      await clock.advance((3 * HOUR_MS) / STEPS / 2);
      for (let n = 0; n < PER_STEP.revoked; n++) {
        const deviceId = any(left.filter((id) => !revoked.has(id)));
        revoked.add(deviceId);
        await lab.admin.removeDevice(deviceId);
      }
      await clock.advance((3 * HOUR_MS) / STEPS / 2);
    }
    lab.faults.clear();
    // Who had no luck so far renews after one of the next two polls.
    await clock.advance(2 * HOUR_MS);
    // The certificates of before run out, and everybody has polled since.
    clock.jumpWallClock(first.notAfterMs + HOUR_MS - clock.nowMs());
    await clock.advance(2 * HOUR_MS);

    const nowMs = clock.nowMs();
    const all = issued();
    const isGood = ({ revokedAtMs, notAfterMs }: IssuedCertificate): boolean => revokedAtMs === undefined && notAfterMs > nowMs;
    for (const [deviceId, device] of ids) {
      const own = all.filter((certificate) => certificate.deviceId === deviceId);
      const good = own.filter(isGood);
      if (revoked.has(deviceId)) {
        expect([device.client.state, device.os.deactivations.length, await held(device), good]).toEqual([
          expect.stringMatching(/^(revoked|unknown)$/),
          1,
          [],
          [],
        ]);
        for (const certificate of own) expect(wire.alert.decode(await answerTo(certificate)).code).toBe('revoked');
      } else {
        expect([device.client.state, device.client.deviceId, device.os.deactivations]).toEqual(['active', deviceId, []]);
        expect(good.map(({ der }) => toHex(der))).toEqual((await held(device)).map(toHex));
        expect(good).toHaveLength(1);
        expect((await answerTo(good[0] as IssuedCertificate)).name).toBe('idle');
        expect(device.told('renewed').length).toBeGreaterThan(0);
      }
    }
    expect([...lab.admin.devices()].filter(({ status }) => status === 'active')).toHaveLength(DEVICES - STEPS * PER_STEP.revoked);
    for (const { deviceId, commandId } of sent) {
      const { state } = lab.admin.command(deviceId, commandId);
      const times = ids.get(deviceId)?.os.executed.filter((id) => id === commandId).length ?? 0;
      if (!revoked.has(deviceId)) expect([state, times]).toEqual(['done', 1]);
      else expect([times <= 1, ['done', 'cancelled']]).toEqual([true, expect.arrayContaining([state])]);
    }
    lab.assertNoUnknownRequests();
  });
});

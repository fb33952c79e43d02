import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { AdminApi } from '../packages/device-emulator/src/admin/admin-api.ts';
import { AdminHttp } from '../packages/device-emulator/src/admin/admin-http.ts';
import type { Connection } from '../packages/device-emulator/src/admin/connection-file.ts';
import { FleetStore } from '../packages/device-emulator/src/fleet/fleet-store.ts';
import { benchDevice, inParallel, once, qrCodes, surroundings } from './devices.ts';
import { type Bench, reported } from './harness.ts';
import { startLab } from './lab-process.ts';

const DEVICES = 1_000;
const COMMANDS = ['REQUEST_DEVICE_INFO', 'REQUEST_INSTALLED_APPS', 'LOCK_DEVICE'] as const;

/** Each device gets three commands by one administrator; from its first wake-up to the idle command. */
export const bench: Bench = async (progress) => {
  const lab = await startLab();
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const fleet = new FleetStore(folder);
  const http = new AdminHttp(lab.info as Connection);
  const admin = new AdminApi({ http, clock: systemClock(), entropy: nodeEntropy() });
  try {
    progress(`activating ${DEVICES} devices`);
    const shared = surroundings();
    const contents = await qrCodes(lab.info, 'drain', DEVICES);
    const drainMs: number[] = [];
    const left = new Map<string, number>();
    let drained: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      drained = resolve;
    });
    const clients: ReturnType<typeof benchDevice>[] = [];
    await inParallel(DEVICES, 16, async (index) => {
      const client = benchDevice(shared, { index, store: fleet.device(index) });
      await client.open();
      await client.activate({ kind: 'qr', content: contents[index] as string });
      const ready = Promise.all([once(client, 'pushopen'), once(client, 'idle')]);
      client.start();
      await ready;
      clients.push(client);
      const deviceId = client.deviceId as string;
      left.set(deviceId, COMMANDS.length);
      let sentAtMs: number | undefined;
      client.addEventListener('wakeup', ({ detail }) => {
        sentAtMs ??= detail.sentAtEpochMs;
      });
      client.addEventListener('commanddone', () => void left.set(deviceId, (left.get(deviceId) as number) - 1));
      client.addEventListener('idle', () => {
        if (left.get(deviceId) !== 0) return;
        left.delete(deviceId);
        drainMs.push(Date.now() - (sentAtMs ?? Date.now()));
        if (left.size === 0) drained();
      });
    });
    const devices = await admin.devices('drain-');
    progress(`${devices.length} devices active; ${COMMANDS.length} commands each`);
    const serverBefore = lab.cpuMicros();
    const startedMs = performance.now();
    await inParallel(devices.length, 8, async (index) => {
      for (const type of COMMANDS) await admin.sendCommand(devices[index] as (typeof devices)[number], { type, properties: {} });
    });
    await all;
    const elapsedMs = performance.now() - startedMs;
    const server = lab.cpuMicros() - serverBefore;
    await Promise.all(clients.map((client) => client.close()));
    drainMs.sort((a, b) => a - b);
    const at = (share: number): number => drainMs[Math.min(drainMs.length - 1, Math.floor(share * drainMs.length))] as number;
    return [
      reported(`push to idle, ${DEVICES} devices: p50`, 'ms', at(0.5)),
      reported('p99', 'ms', at(0.99)),
      reported('p99.9', 'ms', at(0.999)),
      reported('server CPU a command (REST included)', 'µs', server / (DEVICES * COMMANDS.length)),
      reported('commands', '1/s', (DEVICES * COMMANDS.length * 1000) / elapsedMs),
    ];
  } finally {
    await http.close();
    await fleet.close();
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

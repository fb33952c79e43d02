import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto, nodeEntropy } from '@uemkit/protocol/node';
import { deviceAuthority } from '../packages/lab-server/src/ca/device-authority.ts';
import { fromPem, privateKeyPem, readPrivateKeyPem, toPem } from '../packages/lab-server/src/data/pem.ts';
import { type RoleFile, readRoleFiles } from '../packages/lab-server/src/data/role-file.ts';
import { statePath } from '../packages/lab-server/src/lab-server.ts';
import { putCertificate } from '../packages/lab-server/src/state/certificates.ts';
import { putDevice } from '../packages/lab-server/src/state/devices.ts';
import { deviceKeyId, randomUuid } from '../packages/lab-server/src/state/ids.ts';
import { createUser } from '../packages/lab-server/src/state/users.ts';
import { openLmdbStore } from '../packages/lab-server/src/store/lmdb-store.ts';
import { activeDevice } from '../packages/lab-server/test/support/active-device.ts';
import type { PemIdentity } from './bare/certificates.ts';
import { type Connection, type ServerProcess, startProcess } from './lab-process.ts';

/** A device that the server knows as if it had been activated. */
export interface SeededDevice extends PemIdentity {
  readonly deviceId: string;
}

/** A lab server with devices that nobody had to activate: an activation costs 40 ms of CPU on both sides, which would be most of a benchmark of something else. */
export interface SeededLab {
  readonly server: ServerProcess<unknown>;
  readonly connection: Connection;
  /** Key and certificate of the admin listener. */
  readonly uem: RoleFile;
  readonly userGuid: string;
  readonly devices: readonly SeededDevice[];
  /** Stops the server and starts it again on its state, with flags of Node; its ports may be others afterwards. */
  restart(flags: readonly string[]): Promise<SeededLab>;
  stop(): Promise<void>;
}

/** Name of the user of all seeded devices. */
export const FLEET_USER = 'fleet@example.com';
const PER_TRANSACTION = 500;

export async function startSeededLab(count: number): Promise<SeededLab> {
  const data = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const start = (flags?: readonly string[]): Promise<ServerProcess<unknown>> =>
    startProcess('packages/lab-server/src/bin.ts', ['start', '--data', data, '--json'], flags);
  try {
    // The first start makes identities and tenant.
    await (await start()).stop();
    const { uem } = readRoleFiles(data) ?? {};
    if (uem?.uem === undefined) throw new Error('the lab has no role file of UEM');
    const { userGuid, devices } = await seed(data, uem, count);
    const labOf = (server: ServerProcess<unknown>): SeededLab => ({
      ...{ server, uem, userGuid, devices },
      connection: JSON.parse(readFileSync(join(data, 'connection.json'), 'utf8')) as Connection,
      async restart(flags) {
        await server.stop();
        return labOf(await start(flags));
      },
      async stop() {
        await server.stop();
        rmSync(data, { recursive: true, force: true });
      },
    });
    return labOf(await start());
  } catch (error) {
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
}

async function seed(data: string, { root, uem }: RoleFile, count: number): Promise<Pick<SeededLab, 'userGuid' | 'devices'>> {
  const crypto = nodeCrypto();
  const entropy = nodeEntropy();
  const nowMs = Date.now();
  const authority = deviceAuthority(crypto, entropy, { scalar: readPrivateKeyPem(uem?.rootKey ?? '').scalar, certificate: fromPem('CERTIFICATE', root) });
  const userGuid = randomUuid(entropy);
  const devices: SeededDevice[] = [];
  const store = openLmdbStore({ directory: statePath(data, 'uem') });
  await store.transaction((tx) => createUser(tx, { guid: userGuid, userId: FLEET_USER, username: FLEET_USER, displayName: 'Fleet', createdAtMs: nowMs }));
  while (devices.length < count) {
    await store.transaction((tx) => {
      for (let n = 0; n < PER_TRANSACTION && devices.length < count; n++) {
        const scalar = entropy.randomBytes(32);
        const publicKey = crypto.p256PublicKey(scalar);
        const deviceId = randomUuid(entropy);
        const { der, serial, notBeforeMs, notAfterMs } = authority.issue(deviceId, publicKey, nowMs);
        putCertificate(tx, { serial, deviceId, der, notBeforeMs, notAfterMs, issuedAtMs: nowMs });
        const info = { platform: 'android-enterprise', osVersion: '15', model: 'Bench', clientVersion: '1.0', serialNumber: serial };
        const own = { deviceId, userGuid, userId: FLEET_USER, info };
        putDevice(tx, activeDevice(own, nowMs, { keyId: deviceKeyId(crypto, publicKey), serials: [serial] }));
        devices.push({ deviceId, key: privateKeyPem(scalar, publicKey), cert: toPem('CERTIFICATE', der) });
      }
    });
  }
  await store.close();
  return { userGuid, devices };
}

/** Value for the Authorization header (`POST /util/authorization`). */
export async function authorize({ admin, tenantId, administrator }: Connection, send: (url: string, body: string) => Promise<string>): Promise<string> {
  const password = Buffer.from(administrator.password).toString('base64');
  return send(`${admin}/${tenantId}/api/v1/util/authorization`, JSON.stringify({ username: administrator.username, password, provider: 'LOCAL' }));
}

/** Memory of a process that is in use now, and at its most since `resetPeak`, MiB. */
export function residentMiB(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1_024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

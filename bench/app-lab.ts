import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeDynamicsRuntime, type NodeRuntimeOptions, openContainerStorage, openDynamicsRuntime, tlsNocTransport } from '@uemkit/dynamics-sdk/node';
import { keySchedule } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { trustOfPem } from '@uemkit/uem-client';
import { AdminApi } from '../packages/device-emulator/src/admin/admin-api.ts';
import { AdminHttp, type AdminRequest } from '../packages/device-emulator/src/admin/admin-http.ts';
import { readConnection } from '../packages/device-emulator/src/admin/connection-file.ts';
import { proxyIdOf } from '../packages/lab-server/src/links/certificate-guard.ts';
import { type ServerProcess, startProcess } from './lab-process.ts';

export const APP_ID = 'com.example.bench';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const signer = ports.crypto.sha256(new TextEncoder().encode('bench'));
/** As the operating system of an Android device reports the app and the UEM Client. */
export const PLATFORM_IDS = {
  app: keySchedule.platformId('android', APP_ID, signer),
  uemClient: keySchedule.platformId('android', 'com.example.uem', signer),
};

/** Where apps of another process find the lab. */
export interface AppPlace {
  /** `host:port` of the NOC. */
  readonly noc: string;
  /** Root of the lab, PEM. */
  readonly ca: string;
}

/** UEM, NOC and Connectivity Node as processes of their own, and apps of one user that may reach some ports of this machine through them. */
export interface AppLab {
  readonly noc: Pick<ServerProcess<unknown>, 'cpuMicros'>;
  readonly place: AppPlace;
  readonly node: Pick<ServerProcess<unknown>, 'cpuMicros'>;
  /** Guid of the user. */
  readonly user: string;
  /** Id of the Proxy, as clusters of a connectivity profile name it. */
  readonly proxyId: string;
  post(path: string, noun: AdminRequest['noun'], body: unknown): Promise<unknown>;
  put(path: string, body?: unknown): Promise<unknown>;
  /** Apps of the user reach this port of `localhost` through the Proxy, and nothing else. */
  allow(port: number): Promise<void>;
  /** Content of a QR code that activates a device of the user. */
  qrCode(): Promise<string>;
  /** The NOC dies at once. */
  killNoc(): Promise<void>;
  /** The NOC starts again with what it has kept, at the same address; resolves when it listens. */
  startNoc(): Promise<void>;
  /** An app that is activated by a typed key and authorized. */
  app(name: string, options?: Pick<NodeRuntimeOptions, 'tls'>): Promise<NodeDynamicsRuntime>;
  stop(): Promise<void>;
}

export async function startAppLab(): Promise<AppLab> {
  const folder = mkdtempSync(join(tmpdir(), 'uemkit-bench-'));
  const server = ['--conditions=@uemkit/source', '--import', 'tsx', 'packages/lab-server/src/bin.ts'];
  const made = spawnSync(process.execPath, [...server, 'init', '--data', join(folder, 'lab')], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`lab-server init: ${made.stderr}`);
  const roleFile = (role: string): string => join(folder, 'lab', 'roles', `${role}.json`);
  const role = (name: string): Promise<ServerProcess<unknown>> =>
    startProcess(server[3] as string, ['start', '--role', name, '--join', roleFile(name), '--data', join(folder, name), '--json']);
  const uem = await role('uem');
  let noc = await role('noc');
  const node = await role('connectivity-node');
  const connection = readConnection(join(folder, 'uem', 'connection.json'));
  const { noc: address } = JSON.parse(readFileSync(join(folder, 'lab', 'connection.json'), 'utf8')) as { readonly noc: string };
  const { certificate } = JSON.parse(readFileSync(roleFile('connectivity-node'), 'utf8')) as { readonly certificate: string };
  const http = new AdminHttp(connection);
  const admin = new AdminApi({ http, clock: ports.clock, entropy: ports.entropy });
  const { guid: user } = await admin.createUser('bench@example.com');
  const ask = (method: 'POST' | 'PUT', path: string, noun: AdminRequest['noun'], body: unknown): Promise<unknown> =>
    http.request({ method, path: http.api(path), noun, body });
  const application = { applicationId: APP_ID, name: 'Bench', version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [PLATFORM_IDS.app] };
  const { guid: app } = (await ask('POST', '/applications', 'application', application)) as { readonly guid: string };
  await ask('PUT', `/users/${user}/applications/${app}`, undefined, { disposition: 'OPTIONAL' });
  const runtimes: NodeDynamicsRuntime[] = [];
  return {
    get noc() {
      return noc;
    },
    place: { noc: address, ca: connection.ca },
    node,
    user,
    proxyId: proxyIdOf(ports.crypto, new Uint8Array(new X509Certificate(certificate).raw)),
    post: (path, noun, body) => ask('POST', path, noun, body),
    put: (path, body) => ask('PUT', path, undefined, body),
    async allow(port) {
      const content = { additionalServers: [{ server: 'localhost', route: 'PROXY', ports: [port] }] };
      const { guid } = (await ask('POST', '/profiles', 'profile', { kind: 'dynamics-connectivity', name: 'Bench', content })) as { readonly guid: string };
      await ask('PUT', `/users/${user}/profiles/${guid}`, undefined, undefined);
    },
    qrCode: () => admin.makeQrCode(user, undefined),
    killNoc: () => noc.kill(),
    async startNoc() {
      noc = await role('noc');
    },
    async app(name, options = {}) {
      const { accessKey } = (await ask('POST', `/users/${user}/accessKeys`, 'accesskey', {})) as { readonly accessKey: string };
      const held = new Map<string, Uint8Array>();
      const runtime = await openDynamicsRuntime({
        ...ports,
        ...options,
        app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
        noc: { address, trust: trustOfPem(connection.ca) },
        transport: tlsNocTransport(),
        store: openContainerStorage({ directory: join(folder, `${name}-state`) }),
        openStorage: () => openContainerStorage({ directory: join(folder, `${name}-container`) }),
        deviceKey: {
          create: async () => void held.set('key', ports.entropy.randomBytes(32)),
          mac: async (data) => (held.has('key') ? ports.crypto.hmacSha256(held.get('key') as Uint8Array, data) : undefined),
          destroy: async () => void held.clear(),
        },
      });
      runtimes.push(runtime);
      const result = await runtime.authorize({ password: 'correct horse 7', credentials: { userId: 'bench@example.com', accessKey } });
      if (result.state !== 'authorized') throw new Error(`the app is not authorized: ${result.code}`);
      return runtime;
    },
    async stop() {
      for (const runtime of runtimes) await runtime.close();
      await http.close();
      await node.stop();
      await noc.stop();
      await uem.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

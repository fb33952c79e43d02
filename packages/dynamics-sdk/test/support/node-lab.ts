import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { type NodeDynamicsRuntime, type NodeRuntimeOptions, openDynamicsRuntime, tlsNocTransport } from '../../src/node/index.ts';
import { CHEAP, memoryDeviceKey, PASSWORD } from './device.ts';
import { memoryStorage } from './memory-storage.ts';

export const USER = 'ada@example.com';
export const APP_ID = 'com.example.mail';

/** What came back: status, header fields in small letters, and what curl sees as an error. */
export interface CurlAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A lab with listeners and a Connectivity Node, and a user who may activate apps. */
export interface NodeLab {
  readonly lab: LabServer;
  readonly userGuid: string;
  readonly applicationGuid: string;
  /** An app on its own disk that is activated and authorized. */
  app(more?: Partial<NodeRuntimeOptions>): Promise<NodeDynamicsRuntime>;
  /** A path of the Proxy's services, asked by curl. */
  curl(path: string, ...args: readonly string[]): Promise<CurlAnswer>;
  close(): Promise<void>;
}

export async function nodeLab(options: Parameters<typeof startLabServer>[0] = {}): Promise<NodeLab> {
  const lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 }, connectivityNode: true, ...options });
  const folder = mkdtempSync(join(tmpdir(), 'node-lab-'));
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, lab.connection.ca);
  const { guid: userGuid } = await lab.admin.createUser({ username: USER, email: USER });
  const { guid: applicationGuid } = await lab.admin.createApplication({ applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'] });
  await lab.admin.assign({ kind: 'user', id: userGuid }, { kind: 'application', id: applicationGuid }, 'OPTIONAL');
  const root = new Uint8Array(Buffer.from(lab.connection.ca.replaceAll(/-----.*?-----|\s/g, ''), 'base64'));
  const opened: NodeDynamicsRuntime[] = [];
  return {
    lab,
    userGuid,
    applicationGuid,
    async app(more = {}) {
      const runtime = await openDynamicsRuntime({
        ...{ crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() },
        app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 16' },
        noc: { address: lab.connection.noc, trust: { roots: [root], spkiPins: [] } },
        transport: tlsNocTransport(),
        store: memoryStorage(),
        openStorage: () => memoryStorage(),
        deviceKey: memoryDeviceKey(`app ${opened.length}`),
        passwordCost: CHEAP,
        ...more,
      });
      opened.push(runtime);
      const { accessKey } = await lab.admin.createAccessKey(userGuid);
      const { state, error } = await runtime.authorize({ password: PASSWORD, credentials: { userId: USER, accessKey } });
      if (state !== 'authorized') throw new Error('the app is not authorized', { cause: error });
      return runtime;
    },
    curl: (path, ...args) =>
      new Promise((resolve, reject) => {
        const all = ['-sS', '--max-time', '20', '--cacert', ca, '-o', '/dev/null', '-D', '-', ...args, `${lab.connection.proxyServices}${path}`];
        execFile('curl', all, (error, stdout) => (error === null ? resolve(answerOf(stdout)) : reject(error)));
      }),
    async close() {
      await Promise.all(opened.map((runtime) => runtime.close()));
      await lab.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answerOf(head: string): CurlAnswer {
  const [status = '', ...lines] = head.trim().split('\r\n');
  const fields = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]);
  return { status: Number(status.split(' ')[1]), headers: Object.fromEntries(fields) };
}

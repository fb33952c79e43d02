import { type ContainerStorage, type DeviceKey, openDynamicsRuntime } from '@uemkit/dynamics-sdk';
import { startLab } from '@uemkit/lab-server';
import { type CryptoProvider, keySchedule, type TraceEvent } from '@uemkit/protocol';
import { fakeClock, memoryLink, memoryStore, seededEntropy } from '@uemkit/protocol/testing';
import { createUemClient, softwareKeyStore, type UemTransport } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { AdminTrace } from '../src/trace/admin-trace.ts';
import { journalLine } from '../src/trace/journal-line.ts';
import { noteLine, type TraceLine, traceLine } from '../src/trace/trace-line.ts';
import { adminOf } from './lab-admin.ts';
import { slowNoc, slowUem } from './slow-network.ts';

const SEED = 'docs/flows app';
const USER = 'alice@example.com';
const APP_ID = 'com.example.mail';

/** F3 in virtual time: an app on an activated device activates itself with an access key of the UEM Client. Gives its trace. */
export async function appStory(provider: CryptoProvider): Promise<readonly TraceLine[]> {
  const clock = fakeClock(Date.UTC(2026, 0, 15, 9));
  const crypto: CryptoProvider = Object.assign(Object.create(provider), {
    scrypt: (...args: Parameters<CryptoProvider['scrypt']>) => clock.hold(provider.scrypt(...args)),
  });
  const hash = (data: Uint8Array): Uint8Array => crypto.sha256(data);
  const lines: TraceLine[] = [];
  const lab = await startLab({ clock, crypto, entropy: seededEntropy(SEED), cost: { N: 16_384, r: 8, p: 1 } });
  const rest = adminOf(
    lab,
    clock,
    new AdminTrace({ clock, hash, indexOfUserId: (userId) => (userId === USER ? 0 : undefined), write: (line) => lines.push(line) }),
  );
  lab.journal.subscribe((entry) => {
    // What the app and the administrator have seen themselves is in their own lines.
    const isSeen = entry.service === 'admin' || (entry.role === 'noc' && entry.service === 'apps');
    const line = isSeen ? undefined : journalLine(entry);
    if (line !== undefined) lines.push(line);
  });

  // A device that is managed already (F1).
  const store = memoryStore();
  const keyStore = softwareKeyStore({ crypto, entropy: seededEntropy(`${SEED} keys`), store });
  const signer = crypto.sha256(new TextEncoder().encode('vendor'));
  const platformIds = {
    app: keySchedule.platformId('android', APP_ID, signer),
    uemClient: keySchedule.platformId('android', 'com.example.uem', signer),
  };
  const message = (event: TraceEvent): void => void lines.push(traceLine(0, event, hash));
  const note = (step: string, from: 'user' | 'app' | 'device', text: string): void => {
    lines.push(noteLine(0, { timeMs: clock.nowMs(), step, from, to: from === 'user' ? 'app' : from, message: text }));
  };
  const client = createUemClient({
    crypto,
    clock,
    entropy: seededEntropy(`${SEED} client`),
    store,
    keyStore,
    transport: slowUem(lab.transport('device 0') as UemTransport, clock),
    operatingSystem: {
      deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' }),
      configure: async () => ({ status: 'completed' }),
      execute: async () => ({ status: 'done' }),
      deactivated: async () => {},
    },
    apps: appEndpoint({ platformId: platformIds.uemClient, mayAsk: ({ platformId }) => platformId === platformIds.app }),
    trace: message,
  });
  client.addEventListener('appprogress', ({ detail: { step, phase } }) => {
    if (phase === 'admitted') note(step, 'device', 'the app may ask');
  });
  const ended = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    await clock.advanceUntil(() => isOver, 3_600_000);
    return work;
  };
  const { guid } = await rest({ method: 'POST', path: '/users', body: { username: USER, displayName: 'Alice', emailAddress: USER } });
  const password = 'correct-horse-battery';
  await rest({
    method: 'POST',
    path: `/users/${guid}/activationPasswords`,
    body: { activationPasswords: [{ password: Buffer.from(password).toString('base64') }] },
  });
  lines.push(noteLine(0, { timeMs: clock.nowMs(), from: 'device', to: 'device', message: 'device comes up', body: { agent: 'uem-client' } }));
  await client.open();
  const infrastructure = { address: lab.connection.infrastructure, trust: lab.trust };
  await ended(client.activate({ kind: 'password', userId: USER, password, infrastructure }));
  await clock.advance(60_000);

  // F3.1, F3.2
  const application = { applicationId: APP_ID, name: 'Mail', version: '1.0.0.0', platforms: ['ANDROID'], platformIds: [platformIds.app] };
  const mail = await rest({ method: 'POST', path: '/applications', body: application });
  await clock.advance(1_500);
  await rest({ method: 'PUT', path: `/users/${guid}/applications/${mail.guid}`, body: { disposition: 'OPTIONAL' } });
  await clock.advance(20_000);
  note('F3.2', 'user', 'installs the app');
  const runtime = await openDynamicsRuntime({
    crypto,
    clock,
    entropy: seededEntropy(`${SEED} runtime`),
    app: { appId: APP_ID, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: lab.trust },
    transport: slowNoc(lab.transport('app'), clock),
    uemClient: {
      platformIds,
      connect: async () => {
        const link = memoryLink({ clock, entropy: seededEntropy(`${SEED} link`) });
        client.acceptApp(link.responder, platformIds.app).catch(() => undefined);
        return link.initiator;
      },
    },
    store: memoryStore(),
    openStorage: memoryContainer,
    deviceKey: memoryDeviceKey(crypto),
    passwordCost: { N: 16, r: 1, p: 1 },
    // What goes to the UEM Client is in the lines of the client.
    trace: (event) => {
      if (event.from !== 'uem-client' && event.to !== 'uem-client') message(event);
    },
  });
  runtime.addEventListener('configupdate', () => note('F3.11', 'app', 'takes its configuration'));
  await clock.advance(2_000);
  const { state } = await ended(runtime.authorize({ password: 'correct horse 7' }));
  if (state !== 'authorized') throw new Error(`the app is ${state}`);
  await clock.advance(1_000);
  await runtime.close();
  await client.close();
  await lab.close();
  return lines;
}

function memoryContainer(): ContainerStorage {
  const rows = new Map<string, Uint8Array>();
  return {
    get: async (key) => rows.get(key)?.slice(),
    keys: async ({ prefix, after, limit }) =>
      [...rows.keys()]
        .filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
        .sort()
        .slice(0, limit),
    async commit(writes) {
      for (const { key, value } of writes) {
        if (value === null) rows.delete(key);
        else rows.set(key, value.slice());
      }
    },
    close: async () => {},
    destroy: async () => rows.clear(),
  };
}

function memoryDeviceKey(crypto: CryptoProvider): DeviceKey {
  let key: Uint8Array | undefined;
  return {
    async create() {
      key ??= seededEntropy(`${SEED} device key`).randomBytes(32);
    },
    mac: async (data) => key && crypto.hmacSha256(key, data),
    async destroy() {
      key = undefined;
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActivationDelegateOptions, activationDelegate, type DynamicsRuntimeEvents, type TypedCredentials } from '@uemkit/dynamics-sdk';
import {
  fileDeviceKey,
  listenForSiblings,
  type NodeDynamicsRuntime,
  type NodeRuntimeOptions,
  openContainerStorage,
  openDynamicsRuntime,
  siblingSocket,
  tlsNocTransport,
  uemClientSocket,
} from '@uemkit/dynamics-sdk/node';
import { type LabServer, startLabServer } from '@uemkit/lab-server';
import { type AskingApp, keySchedule, type TraceEvent } from '@uemkit/protocol';
import { nodeCrypto, nodeEntropy, systemClock } from '@uemkit/protocol/node';
import { memoryStore } from '@uemkit/protocol/testing';
import { createUemClient, type OperatingSystem, softwareKeyStore, trustOfPem } from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { listenForApps, nodeTransport } from '@uemkit/uem-client/node';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const USER = 'alice@example.com';
const PASSWORD = 'correct horse 7';
const ports = { crypto: nodeCrypto(), entropy: nodeEntropy(), clock: systemClock() };
const signerHash = ports.crypto.sha256(new TextEncoder().encode('vendor'));
const signer = Buffer.from(signerHash).toString('hex');
const otherSigner = 'cd'.repeat(32);
const idOf = (name: string, platform = 'android'): string => keySchedule.platformId(platform, `com.example.${name}`, signerHash);
const [MAIL, CHAT, CLIENT] = [idOf('mail'), idOf('chat'), idOf('uem')];

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let lab: LabServer;
let folder: string;
let userGuid: string;
let made = 0;
const ends: (() => Promise<unknown>)[] = [];

/** What the operating system says of the app that connects to the sibling. */
let seen = CHAT;
/** What the user of the sibling says, and was shown. */
let says: ActivationDelegateOptions['consent'] = () => true;
let shown: AskingApp[] = [];

async function assign(name: string, platformIds: readonly string[], assigned = true): Promise<void> {
  const application = { applicationId: `com.example.${name}`, name, version: '1.0.0.0', platforms: ['ANDROID' as const], platformIds: [...platformIds] };
  const { guid } = await lab.admin.createApplication(application);
  if (assigned) await lab.admin.assign({ kind: 'user', id: userGuid }, { kind: 'application', id: guid }, 'OPTIONAL');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siblings-'));
  lab = await startLabServer({ cost: { N: 16_384, r: 8, p: 1 } });
  userGuid = (await lab.admin.createUser({ username: USER, email: USER })).guid;
  await assign('mail', [MAIL]);
  await assign('chat', [CHAT, idOf('chat', 'samsung-knox-workspace')]);
  await assign('draw', [idOf('draw')], false);
  const content = { activationDelegates: ['com.example.mail'] };
  const profile = await lab.admin.createConfigurationProfile({ kind: 'dynamics', name: 'Delegates', content });
  await lab.admin.assign({ kind: 'user', id: userGuid }, { kind: 'profile', id: profile.profileId });
});

beforeEach(() => {
  seen = CHAT;
  says = () => true;
  shown = [];
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await lab.close();
  await rm(folder, { recursive: true });
});

interface Installed {
  readonly runtime: NodeDynamicsRuntime;
  readonly trace: TraceEvent[];
  readonly failed: DynamicsRuntimeEvents['appfailed'][];
  readonly phases: string[];
}

async function install(appId: string, more: Partial<NodeRuntimeOptions>): Promise<Installed> {
  const place = join(folder, `${appId}-${made++}`);
  const trace: TraceEvent[] = [];
  const store = openContainerStorage({ directory: join(place, 'state') });
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId, version: '1.0.0.0', platform: 'android 15' },
    noc: { address: lab.connection.noc, trust: trustOfPem(lab.connection.ca) },
    transport: tlsNocTransport(),
    store,
    openStorage: () => openContainerStorage({ directory: join(place, 'container') }),
    deviceKey: fileDeviceKey(join(place, 'device.key'), ports),
    trace: (event) => void trace.push(event),
    // Guessing is not what these tests measure.
    passwordCost: { N: 16, r: 1, p: 1 },
    ...more,
  });
  ends.push(async () => {
    await runtime.close();
    await store.close();
  });
  const [failed, phases]: [DynamicsRuntimeEvents['appfailed'][], string[]] = [[], []];
  runtime.addEventListener('appfailed', ({ detail }) => void failed.push(detail));
  runtime.addEventListener('appprogress', ({ detail }) => void phases.push(`${detail.step} ${detail.phase}`));
  return { runtime, trace, failed, phases };
}

interface Sibling extends Installed {
  readonly path: string;
}

/** The app that is there already, and listens for others. */
async function sibling({
  credentials,
  appId = 'com.example.mail',
  platformId = MAIL,
  ...more
}: Partial<NodeRuntimeOptions> & { readonly credentials?: TypedCredentials; readonly appId?: string; readonly platformId?: string } = {}): Promise<Sibling> {
  const consent: ActivationDelegateOptions['consent'] = (app, signal) => {
    shown.push(app);
    return says(app, signal);
  };
  const app = await install(appId, { delegate: activationDelegate({ platformId, signers: [signer], consent, limits: { requestsPerApp: 20 } }), ...more });
  const typed = credentials ?? { userId: USER, accessKey: (await lab.admin.createAccessKey(userGuid)).accessKey };
  const before = consumed();
  const result = await app.runtime.authorize({ password: PASSWORD, ...(more.uemClient === undefined ? { credentials: typed } : {}) });
  expect(result).toMatchObject({ state: 'authorized' });
  // Its link is good from then on.
  await vi.waitUntil(() => consumed() > before, 20_000);
  const path = join(folder, `sockets-${made++}`, 'app.sock');
  const listener = await listenForSiblings({ runtime: app.runtime, path, identify: async () => seen });
  ends.push(() => listener.close());
  return { ...app, path };
}

const consumed = (): number => lab.journal.entries().filter(({ role, request }) => role === 'noc' && request === 'nocKeyConsumed').length;
/** What apps have asked UEM for keys of others; they ask it for updates, too. */
const keyRequests = () => lab.journal.entries().filter(({ service, request }) => service === 'px' && !request.startsWith('appUpdate'));
const uemReasons = (): readonly (string | undefined)[] => keyRequests().map(({ reason }) => reason);

/** The app that is not activated, and asks that one. */
function newApp(of: Pick<Sibling, 'path'>, { appId = 'com.example.chat', own = CHAT, other = MAIL, signers = [signer] } = {}): Promise<Installed> {
  return install(appId, { siblings: { platformId: own, signers, links: [siblingSocket({ path: of.path, platformId: other })] } });
}

const authorize = ({ runtime }: Installed) => runtime.authorize({ password: PASSWORD });

describe('an app is activated by a sibling on its device (F3.4 to F3.11)', () => {
  it('which had a typed key: its user is asked, and nobody types anything for the second one', async () => {
    const first = await sibling();
    first.trace.splice(0);
    const second = await newApp(first);
    expect(await authorize(second)).toMatchObject({ state: 'authorized', code: 'GDErrorNone', keyConsumed: true });
    expect(second.runtime.getApplicationConfig()).toMatchObject({ userId: USER });
    expect(shown).toEqual([{ platformId: CHAT, appId: 'com.example.chat', instanceId: second.runtime.instanceId }]);
    expect(first.phases).toEqual(['F3.3 admitted', 'F3.4 requested', 'F3.5 answered', 'F3.6 handedOver']);
    expect(second.trace.slice(0, 5).map(({ step, from, to }) => `${step} ${from} ${to}`)).toEqual([
      'F3.4 app sibling',
      'F3.4 sibling app',
      'F3.4 app sibling',
      'F3.3 app sibling',
      'F3.6 sibling app',
    ]);
    expect(second.trace.slice(5).map(({ step }) => step)).toEqual(['F3.7', 'F3.8', 'F3.9', 'F3.10', 'F3.11', 'F3.11', 'F3.11', 'F3.11']);
    const toUem = first.trace.filter(({ from, to }) => from === 'uem' || to === 'uem').map(({ step, from, to }) => `${step} ${from} ${to}`);
    expect(toUem).toEqual(['F3.4 sibling uem', 'F3.4 uem sibling', 'F3.4 sibling uem', 'F3.4 sibling uem', 'F3.5 uem sibling', ...toUem.slice(5)]);
  });

  it('which had its key from the UEM Client', async () => {
    const operatingSystem: OperatingSystem = {
      deviceInfo: () => ({ platform: 'android-enterprise', osVersion: '15', model: 'Example Tablet', clientVersion: '1.0' }),
      configure: async () => ({ status: 'completed' }),
      execute: async () => ({ status: 'done' }),
      deactivated: async () => {},
    };
    const store = memoryStore();
    const keyStore = softwareKeyStore({ ...ports, store });
    const apps = appEndpoint({ platformId: CLIENT, mayAsk: () => true });
    const client = createUemClient({ ...ports, store, keyStore, transport: nodeTransport({ keyStore }), operatingSystem, apps });
    await client.open();
    await client.activate({ kind: 'qr', content: (await lab.admin.createQrCode(userGuid)).content });
    const path = join(folder, 'client', 'uem.sock');
    const listener = await listenForApps({ client, path, identity: { identify: async () => MAIL } });
    ends.push(async () => {
      await listener.close();
      await client.close();
    });
    const first = await sibling({ uemClient: uemClientSocket({ path, platformIds: { app: MAIL, uemClient: CLIENT } }) });
    const second = await newApp(first);
    expect(await authorize(second)).toMatchObject({ state: 'authorized' });
    expect(keyRequests().at(-1)).toMatchObject({ answer: 'accessKeyResponse', userId: USER });
    const { deviceId } = keyRequests().at(-1) ?? {};
    const [device] = [...lab.admin.devices()];
    expect(deviceId).toBe(device?.deviceId);
    // A device that is removed has no delegates any more.
    await lab.admin.removeDevice(device?.deviceId ?? '');
    const third = await newApp(first);
    const ended = await authorize(third);
    // UEM does not know it any more; the NOC, which hears of that a moment later, neither.
    expect([ended.state, ended.error?.step]).toEqual(['notAuthorized', 'F3.6']);
    expect(['ERR_PEER_ALERT', 'ERR_REJECTED_BUSY']).toContain(ended.error?.code);
  });

  it('and by the next one, when the first one asked is not there', async () => {
    const first = await sibling();
    const links = [siblingSocket({ path: join(folder, 'nobody.sock'), platformId: MAIL }), siblingSocket({ path: first.path, platformId: MAIL })];
    const second = await install('com.example.chat', { siblings: { platformId: CHAT, signers: [signer], links } });
    expect(await authorize(second)).toMatchObject({ state: 'authorized' });
  });
});

describe('an app gets no key of a sibling', () => {
  let first: Sibling;
  beforeAll(async () => {
    first = await sibling();
  });
  beforeEach(() => {
    first.failed.splice(0);
  });
  const failure = () => {
    const last = first.failed.at(-1);
    return [last?.error.code, last?.error.step];
  };

  it('when the user says no: UEM is not asked', async () => {
    says = () => false;
    const before = uemReasons().length;
    const second = await newApp(first);
    const refused = { state: 'notAuthorized', code: 'GDErrorActivationFailed', keyConsumed: false, error: { code: 'ERR_REJECTED_CONSENT', step: 'F3.6' } };
    expect(await authorize(second)).toMatchObject(refused);
    expect([failure(), uemReasons().length - before]).toEqual([['ERR_REJECTED_CONSENT', 'F3.4'], 0]);
    says = () => true;
    expect(await authorize(second)).toMatchObject({ state: 'authorized' });
  });

  it('when it is another package, or signed by somebody else, than it says: the operating system knows', async () => {
    seen = idOf('evil');
    // It says that it is the chat: then the two ends mean different apps.
    expect(await authorize(await newApp(first))).toMatchObject({ error: { code: 'ERR_CRYPTO_KEY_CONFIRMATION', step: 'F3.4' } });
    // It says what it is: UEM knows the app under another package.
    expect(await authorize(await newApp(first, { own: seen }))).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.6' } });
    expect(uemReasons().at(-1)).toBe('the catalogue knows the app under another platform id');
    seen = CHAT.replace(signer, otherSigner);
    const posing = await newApp(first, { own: seen, signers: [signer, otherSigner] });
    expect(await authorize(posing)).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.4' } });
    expect(failure()).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.3']);
    expect(shown).toHaveLength(1);
  });

  it('when it asks for an app that is not assigned to the user', async () => {
    seen = idOf('draw');
    expect(await authorize(await newApp(first, { appId: 'com.example.draw', own: seen }))).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.6' } });
    expect(uemReasons().at(-1)).toContain('not assigned to the user');
  });

  it('when it is in the Knox Workspace and the sibling is not: neither of the two talks to the other', async () => {
    seen = idOf('chat', 'samsung-knox-workspace');
    const careless = await newApp(first, { own: seen });
    expect(await authorize(careless)).toMatchObject({ error: { code: 'ERR_TRANSPORT_CONNECT', step: 'F3.4' } });
    expect(first.failed).toEqual([]);
    // One that does not look is not let in.
    const lying = await newApp(first, { own: seen, other: idOf('mail', 'samsung-knox-workspace') });
    expect(await authorize(lying)).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.4' } });
    expect(failure()).toEqual(['ERR_REJECTED_CREDENTIALS', 'F3.3']);
  });

  it('when the operating system does not know who it is', async () => {
    const path = join(folder, 'unknown', 'app.sock');
    const listener = await listenForSiblings({ runtime: first.runtime, path, identify: async () => undefined });
    ends.push(() => listener.close());
    expect(await authorize(await newApp({ path }))).toMatchObject({ error: { code: 'ERR_TRANSPORT_CLOSED' } });
    expect([first.failed, shown]).toEqual([[], []]);
  });

  it('when policy marks the sibling as no delegate, whether it knows that or not', async () => {
    seen = MAIL;
    const chat = await sibling({ appId: 'com.example.chat', platformId: CHAT });
    const asking = await newApp(chat, { appId: 'com.example.mail', own: MAIL, other: CHAT });
    expect(await authorize(asking)).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.4' } });
    expect(chat.failed.at(-1)?.error).toMatchObject({ code: 'ERR_USAGE_STATE', step: 'F3.3' });
    expect(shown).toEqual([]);
  });

  it('of another user: the key is for the user of the sibling, and the review shows that', async () => {
    const reviewed: string[] = [];
    const review = async ({ userId }: { readonly userId: string }): Promise<boolean> => {
      reviewed.push(userId);
      return userId === 'bob@example.com';
    };
    const links = [siblingSocket({ path: first.path, platformId: MAIL })];
    const second = await install('com.example.chat', { review, siblings: { platformId: CHAT, signers: [signer], links } });
    expect(await authorize(second)).toMatchObject({ state: 'notAuthorized', error: { code: 'ERR_DEVICE_CONSENT' } });
    expect(reviewed).toEqual([USER]);
  });

  it('while too many bytes are none, and the sibling goes on serving others', async () => {
    const socket = connect(first.path);
    socket.write(Buffer.alloc(64, 0x41));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(failure()[0]).toMatch(/^ERR_WIRE/);
    expect(await authorize(await newApp(first))).toMatchObject({ state: 'authorized' });
  });

  it('when the sibling is locked, also while its user thinks; and again when it is not', async () => {
    const own = await sibling();
    await own.runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'Not now' });
    const second = await newApp(own);
    expect(await authorize(second)).toMatchObject({ error: { code: 'ERR_REJECTED_BUSY', step: 'F3.4' } });
    expect(own.failed.at(-1)?.error).toMatchObject({ code: 'ERR_APP_LOCKED', step: 'F3.3' });
    await own.runtime.executeUnblock('audit');
    says = async () => {
      await own.runtime.executeBlock({ id: 'audit', title: 'Audit', message: 'Not now' });
      return true;
    };
    const before = uemReasons().length;
    expect(await authorize(second)).toMatchObject({ error: { code: 'ERR_TRANSPORT_CLOSED', step: 'F3.6' } });
    expect(own.failed.at(-1)?.error).toMatchObject({ code: 'ERR_APP_LOCKED' });
    expect(uemReasons()).toHaveLength(before);
    await own.runtime.executeUnblock('audit');
    says = () => true;
    expect(await authorize(second)).toMatchObject({ state: 'authorized' });
  });

  it('when the sibling is wiped, or closed', async () => {
    const own = await sibling();
    await own.runtime.wipe();
    const second = await newApp(own);
    expect(await authorize(second)).toMatchObject({ error: { code: 'ERR_PEER_ALERT', step: 'F3.4' } });
    expect(own.failed.at(-1)?.error).toMatchObject({ code: 'ERR_APP_WIPED', step: 'F3.3' });
    await own.runtime.close();
    expect(await authorize(second)).toMatchObject({ error: { code: 'ERR_TRANSPORT_CLOSED' } });
  });

  it('when UEM is not there: it may come again, with another nonce', async () => {
    const own = await sibling();
    const fault = lab.faults.add({ kind: 'drop', role: 'uem', service: 'px' });
    const second = await newApp(own);
    expect(await authorize(second)).toMatchObject({ error: { code: 'ERR_REJECTED_BUSY', step: 'F3.6' } });
    expect(own.failed.at(-1)?.error).toMatchObject({ kind: 'transport', step: 'F3.4' });
    lab.faults.remove(fault.id);
    expect(await authorize(second)).toMatchObject({ state: 'authorized' });
  });
});

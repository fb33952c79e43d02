import {
  type AppActivationInitiator,
  type AppActivationOutput,
  type AppActivationRecord,
  type AppActivationRequestResult,
  appActivationInitiator,
  type HeldAccessKey,
  type Input,
  keySchedule,
  newAppActivation,
  type ProtocolError,
  restoreAppActivation,
  toHex,
  x509,
} from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { typedAccessKeySecrets } from '../../src/access-keys/access-key-secrets.ts';
import { createNocRegistrar } from '../../src/links/noc-registrar.ts';
import { createNocRole } from '../../src/roles/noc/noc.ts';
import type { Role, RoleAnswer, ServiceName } from '../../src/roles/role.ts';
import { type AccessKeyRecord, accessKeyById, addAccessKey } from '../../src/state/access-keys.ts';
import { type ApplicationRecord, putApplication } from '../../src/state/applications.ts';
import { putAssignment } from '../../src/state/assignments.ts';
import { type EventRecord, listEvents } from '../../src/state/events.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { TestDevice } from './test-device.ts';
import { CORE_ID, crypto, frameIn, NOW_MS, UemBench, USER } from './uem-bench.ts';

export const APP_ID = 'com.example.mail';
export const PLATFORM_ID = `android:com.example.mail:${'ab'.repeat(32)}`;
export const TENANT = 'tenant';

/** UEM and NOC, each with its own store, and the way between them. */
export class AppLab implements AppWay {
  readonly uem: UemBench;
  readonly nocStore = new MemoryStore();
  noc!: Role;
  readonly userGuid: string;
  /** What passed between NOC and UEM. */
  readonly passed: { readonly service: ServiceName; readonly frame: Uint8Array; readonly answer?: Uint8Array | undefined }[] = [];
  /** Links that the NOC has ended. */
  readonly ended: string[] = [];
  private keys = 0;
  /** Apps that were made. */
  apps = 0;

  private constructor(uem: UemBench, userGuid: string) {
    this.uem = uem;
    this.userGuid = userGuid;
  }

  static async start(): Promise<AppLab> {
    const uem = await UemBench.start();
    const lab = new AppLab(uem, await uem.addUser());
    const { clock, journal } = uem;
    lab.noc = await createNocRole({
      ...{ clock, crypto, journal, entropy: seededEntropy('noc'), store: lab.nocStore },
      guard: { roleOf: () => 'uem', tenantOf: () => ({ tenantId: TENANT }), proxyOf: () => ({ refused: 'nobody' }) },
      uem: { request: (service, frame) => lab.pass(service, frame) },
      place: { coreId: CORE_ID, relayAddresses: ['lab.example:1'] },
      linkEnded: (linkId) => lab.ended.push(linkId),
      pushes: { isConnected: () => false, waits: () => {} },
    });
    await lab.addApplication(APP_ID);
    return lab;
  }

  nowMs(): number {
    return this.uem.clock.nowMs();
  }

  async exchange(frame: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.noc.handle({ service: 'apps', frame, peer: { kind: 'anonymous', source: 'app' } });
    return answer.status === 'answered' ? answer.frame : undefined;
  }

  /** NOC to UEM. */
  async pass(service: ServiceName, frame: Uint8Array): Promise<RoleAnswer> {
    const answer = await this.uem.ask(service, frame, { kind: 'anonymous', source: 'noc' });
    this.passed.push({ service, frame, answer: answer.status === 'answered' ? answer.frame : undefined });
    return answer;
  }

  async addApplication(
    applicationId: string,
    { assigned = true, platformIds = [PLATFORM_ID] }: { readonly assigned?: boolean; readonly platformIds?: readonly string[] } = {},
  ): Promise<void> {
    const guid = `guid-of-${applicationId}`;
    const application: ApplicationRecord = {
      guid,
      applicationId,
      name: applicationId,
      version: '1',
      platforms: ['ANDROID'],
      platformIds,
      digest: '',
      updatedAtMs: NOW_MS,
    };
    const object = { kind: 'application', id: guid } as const;
    await this.uem.store.transaction((tx) => {
      putApplication(tx, application);
      if (assigned) putAssignment(tx, { assignee: { kind: 'user', id: this.userGuid }, object, disposition: 'OPTIONAL', createdAtMs: NOW_MS });
    });
  }

  /** What the outbox of UEM holds reaches the NOC. */
  async sync(): Promise<void> {
    const { clock, store } = this.uem;
    const registrar = createNocRegistrar({
      ...{ clock, crypto, store, tenantId: TENANT },
      noc: { request: (service, frame) => this.noc.handle({ service, frame, peer: { kind: 'anonymous', source: 'uem' } }) },
    });
    await registrar.resume();
    registrar.close();
  }

  /** A key that a person types, known to the NOC. */
  async typedKey({ lifeMs = 86_400_000 }: { readonly lifeMs?: number } = {}): Promise<{ readonly keyId: string; readonly key: HeldAccessKey }> {
    const entropy = seededEntropy(`typed key ${this.keys++}`);
    const accessKey = keySchedule.generateAccessKey(entropy);
    const keyId = toHex(entropy.randomBytes(16));
    const nowMs = this.uem.clock.nowMs();
    const common = { keyId, userGuid: this.userGuid, userId: USER, kind: 'typed', ...(await typedAccessKeySecrets(crypto, accessKey, USER)) } as const;
    await this.uem.store.transaction((tx) => addAccessKey(tx, { ...common, createdAtMs: nowMs, expiresAtMs: nowMs + lifeMs, failedProofs: 0, setUpsMs: [] }));
    await this.sync();
    return { keyId, key: { kind: 'typed', accessKey } };
  }

  key(keyId: string): AccessKeyRecord | undefined {
    return this.uem.store.read((view) => accessKeyById(view, keyId));
  }

  /** Events of access keys. */
  get events(): readonly EventRecord[] {
    return this.uem.store.read((view) => listEvents(view, { after: 0, limit: 1_000 })).filter(({ type }) => type.startsWith('ACCESS_KEY'));
  }
}

/** A device whose UEM Client asks for access keys (F3.4). */
export class KeyDevice extends TestDevice {
  private readonly lab: AppLab;

  constructor(lab: AppLab, name: string) {
    super(lab.uem, name);
    this.lab = lab;
  }

  static async activated(lab: AppLab, name = 'device'): Promise<KeyDevice> {
    const device = new KeyDevice(lab, name);
    await device.activate(await lab.uem.addQr({ expireAfterUse: false }));
    return device;
  }

  get identity(): { readonly deviceId: string; readonly deviceKeyHash: Uint8Array } {
    return { deviceId: this.deviceId, deviceKeyHash: crypto.sha256(x509.publicKeyInfo(this.publicKey)) };
  }

  async forward(more: Partial<wire.AccessKeyForward> = {}): Promise<wire.Frame> {
    const asked = { appId: APP_ID, instanceId: INSTANCE, nonce: NONCE, platformId: PLATFORM_ID, deviceId: this.deviceId, ...more };
    const answer = frameIn(await this.lab.uem.ask('device', wire.accessKeyForward.encode(asked), this.peer()));
    await this.lab.sync();
    return answer;
  }

  async key(more: Partial<wire.AccessKeyForward> = {}): Promise<{ readonly keyId: string; readonly key: HeldAccessKey }> {
    const { accessKey, keyId, nonce } = wire.accessKeyResponse.decode(await this.forward(more));
    return { keyId: toHex(keyId), key: { kind: 'assisted', accessKey, nonce } };
  }
}

export const INSTANCE: Uint8Array = new Uint8Array(16).fill(5);
export const NONCE: Uint8Array = new Uint8Array(32).fill(6);

export interface TestAppOptions {
  readonly key: HeldAccessKey;
  readonly instanceId?: Uint8Array;
  readonly appId?: string;
  readonly userId?: string;
  readonly device?: { readonly deviceId: string; readonly deviceKeyHash: Uint8Array } | undefined;
  /** Changes a frame before it leaves; undefined: it is lost. */
  readonly onSend?: (name: wire.FrameName | 'envelope', frame: Uint8Array) => Uint8Array | undefined;
  /** Changes an answer before the app sees it; undefined: it is lost. */
  readonly onAnswer?: (frame: Uint8Array, index: number) => Uint8Array | undefined;
}

/** The way of an app to the NOC. */
export interface AppWay {
  /** Counts the apps, so that no two of them are alike. */
  apps: number;
  nowMs(): number;
  /** The answer; undefined: it was lost. */
  exchange(frame: Uint8Array): Promise<Uint8Array | undefined>;
}

/** An app over the protocol’s own machine, without the SDK: frames to the NOC and back. */
export class TestApp {
  private readonly way: AppWay;
  readonly options: TestAppOptions;
  readonly store = new Map<string, Uint8Array>();
  /** Frames as they left. */
  readonly sent: Uint8Array[] = [];
  readonly answers: Uint8Array[] = [];
  output: AppActivationOutput | undefined;
  failure: ProtocolError | undefined;
  private readonly name: string;
  private runs = 0;

  constructor(way: AppWay, options: TestAppOptions) {
    this.way = way;
    this.name = `app ${way.apps++}`;
    this.options = options;
  }

  get record(): AppActivationRecord {
    const { key, instanceId = INSTANCE, appId = APP_ID, userId = USER, device } = this.options;
    const [saved] = this.store.values();
    return (saved === undefined ? undefined : restoreAppActivation(saved)) ?? newAppActivation({ userId, appId, instanceId, device, key });
  }

  /** One run over one connection; goes on where the last one ended. */
  async run(options: Pick<TestAppOptions, 'onSend' | 'onAnswer'> = this.options): Promise<'activated' | string> {
    this.failure = undefined;
    const machine = appActivationInitiator({
      ...{ crypto, entropy: seededEntropy(`${this.name} ${this.runs++}`), record: this.record },
      app: { appVersion: '1.0.0.0', platform: 'android' },
    });
    const frames: Uint8Array[] = [];
    let pending: Input<AppActivationRequestResult>[] = [{ type: 'start' }];
    for (;;) {
      const [input, ...rest] = pending;
      if (input !== undefined) {
        pending = [...rest, ...(await this.feed(machine, input, frames))];
        continue;
      }
      if (this.output !== undefined) return 'activated';
      if (this.failure !== undefined) return (this.failure as ProtocolError).code;
      const frame = frames.shift();
      const answer = frame === undefined ? undefined : await this.exchange(frame, options);
      if (answer === undefined) return 'lost';
      pending = [{ type: 'received', frame: answer }];
    }
  }

  private async exchange(
    frame: Uint8Array,
    { onSend = (_, same) => same, onAnswer = (same) => same }: Pick<TestAppOptions, 'onSend' | 'onAnswer'>,
  ): Promise<Uint8Array | undefined> {
    const leaving = onSend(wire.peekFrameName(frame) ?? 'envelope', frame);
    if (leaving === undefined) return undefined;
    this.sent.push(leaving);
    const answer = await this.way.exchange(leaving);
    if (answer === undefined) return undefined;
    this.answers.push(answer);
    return onAnswer(answer, this.answers.length - 1);
  }

  private async feed(
    machine: AppActivationInitiator,
    input: Input<AppActivationRequestResult>,
    frames: Uint8Array[],
  ): Promise<Input<AppActivationRequestResult>[]> {
    const results: Input<AppActivationRequestResult>[] = [];
    for (const effect of machine.handle(input, this.way.nowMs())) {
      if (effect.type === 'send') frames.push(effect.frame);
      else if (effect.type === 'persist') for (const { key, value } of effect.writes) value === null ? this.store.delete(key) : this.store.set(key, value);
      else if (effect.type === 'done') this.output = effect.output;
      else if (effect.type === 'fail') this.failure = effect.error;
      else if (effect.type === 'request' && effect.request.type === 'stretch') {
        const { password, salt, cost, lengthBytes } = effect.request.stretch;
        results.push({ type: 'result', result: { type: 'stretched', bytes: await crypto.scrypt(password, salt, cost, lengthBytes) } });
      } else if (effect.type === 'request') results.push({ type: 'result', result: { type: 'reviewed' } });
    }
    return results;
  }
}

/** Flips one bit of the last byte, where MACs and tags are. */
export function spoiled(frame: Uint8Array): Uint8Array {
  return frame.map((byte, index) => (index === frame.length - 1 ? byte ^ 1 : byte));
}

import { DEFAULT_SCRYPT_COST, toHex, userIdHash } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, rememberedScrypt, seededEntropy } from '@uemkit/protocol/testing';
import type { AdminRole } from '../../src/admin/admin-role.ts';
import type { Administration } from '../../src/admin/administration.ts';
import { type Administrators, createAdministrators } from '../../src/admin/administrators.ts';
import { createAuditLog } from '../../src/admin/audit-log.ts';
import { createAdministration } from '../../src/admin/create-administration.ts';
import { createEventFeed, type EventFeed } from '../../src/events/event-feed.ts';
import { createFaults, type Faults } from '../../src/faults/faults.ts';
import { createRingJournal, type RingJournal } from '../../src/journal/journal.ts';
import { createAuthorization } from '../../src/rest/authorization.ts';
import { restHandler } from '../../src/rest/rest-handler.ts';
import type { RestRequest, RestResponse, RestStream } from '../../src/rest/rest-request.ts';
import type { Route } from '../../src/rest/route.ts';
import { adminRoutes } from '../../src/rest/route-table.ts';
import { type AppInstanceRecord, putAppInstance } from '../../src/state/app-instances.ts';
import { type DeviceRecord, putDevice } from '../../src/state/devices.ts';
import { beginEventEpoch, eventEpochs, eventPosition } from '../../src/state/event-epochs.ts';
import { DEFAULT_PROFILE_ID, putProfile } from '../../src/state/profiles.ts';
import { putTenant } from '../../src/state/tenants.ts';
import type { UserRecord } from '../../src/state/users.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { watchedStore } from '../../src/store/watched-store.ts';
import { activeDevice } from './active-device.ts';
import { declaredAnswers } from './declared-answers.ts';

export const TENANT = 'tenant-1';
export const PASSWORD = 'administrator password';

/** What came back, parsed. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of many shapes
  readonly json: any;
}

/** Header of HTTP Basic. */
export function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** The admin REST API on a store in memory, without sockets and without the other roles. */
export class AdminLab {
  readonly clock: FakeClock = fakeClock(Date.UTC(2026, 0, 1));
  readonly crypto = rememberedScrypt(nodeCrypto());
  readonly store = new MemoryStore();
  readonly journal: RingJournal = createRingJournal();
  readonly faults: Faults = createFaults();
  readonly woken: string[] = [];
  readonly registered = new Set<string>();
  /** Access keys that the NOC was to hear of, in order. */
  readonly told: string[] = [];
  /** How often the mailer was told to look. */
  kicks = 0;
  readonly admin: Administration;
  readonly administrators: Administrators;
  readonly events: EventFeed;
  readonly routes: readonly Route[];
  private readonly handle: (request: RestRequest) => Promise<RestResponse>;

  private constructor() {
    const { clock, crypto, journal, faults } = this;
    const store = watchedStore(this.store);
    const entropy = seededEntropy('admin lab');
    const hashed = (hash: Uint8Array): string => toHex(hash);
    this.admin = createAdministration({
      clock,
      crypto,
      entropy,
      store,
      tenantId: TENANT,
      registrar: {
        replaceAll: async () => {},
        add: (hash) => void this.registered.add(hashed(hash)),
        remove: (hash) => void this.registered.delete(hashed(hash)),
        flush: async () => {},
        close: () => {},
      },
      noc: { tell: (keyId) => void this.told.push(keyId), flush: async () => {} },
      activation: { address: '127.0.0.1:4433', spkiPin: new Uint8Array(32).fill(9) },
      mailer: { kick: () => void this.kicks++, retryNow: async () => void this.kicks++ },
      serverAddress: 'lab.example:443',
      wake: (deviceId) => void this.woken.push(deviceId),
      reconfigure: () => {},
      serversChanged: () => {},
    });
    this.administrators = createAdministrators({ clock, crypto, entropy, store, first: { username: 'admin', password: PASSWORD } });
    const { administrators } = this;
    const authorization = createAuthorization({ clock, crypto, entropy, administrators, sessionKey: new Uint8Array(32).fill(1) });
    const audit = createAuditLog({ clock, store });
    this.events = createEventFeed({ clock, store });
    const { events } = this;
    const info = { tenantId: TENANT, coreId: 'core-1', version: '0' };
    this.routes = adminRoutes({ administration: this.admin, authorization, administrators, audit, events, info, faults, journal });
    const handle = restHandler({ clock, journal, tenantId: TENANT, authorization, audit, routes: this.routes });
    this.handle = declaredAnswers(`/${TENANT}/api/v1`, this.routes, handle);
  }

  /** Position of the event with this number. */
  position(sequence: number): string {
    return this.store.read((view) => eventPosition(eventEpochs(view), sequence));
  }

  static async start(): Promise<AdminLab> {
    const lab = new AdminLab();
    await lab.store.transaction((tx) => {
      beginEventEpoch(tx, seededEntropy('first start'));
      // The least cost that devices accept: these tests are not about guessing.
      const cost = { ...DEFAULT_SCRYPT_COST, N: 16_384 };
      putTenant(tx, { tenantId: TENANT, coreId: 'core-1', name: 'Test', fakeSaltKey: new Uint8Array(32), cost, createdAtMs: 0 });
      putProfile(tx, {
        profileId: DEFAULT_PROFILE_ID,
        name: 'Default',
        activationType: 'work-and-personal-full-control',
        createWorkSpace: true,
        encryptDevice: true,
        pollIntervalS: 900,
        pollJitterS: 60,
        allowedDevices: 5,
      });
    });
    return lab;
  }

  /** A request with the administrator's credentials, unless `headers` say otherwise. Paths under the tenant begin with `/`, others with `//`. */
  async ask(method: string, target: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const [path = '', query = ''] = (target.startsWith('//') ? target.slice(1) : `/${TENANT}/api/v1${target}`).split('?');
    const bytes =
      body === undefined
        ? new Uint8Array()
        : typeof body === 'string'
          ? Buffer.from(body)
          : body instanceof Uint8Array
            ? body
            : Buffer.from(JSON.stringify(body));
    const all = { ...basic('admin', PASSWORD), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
    const answer = await this.handle({ method, path, query, headers: all, body: bytes, source: 'test' });
    if (answer.stream !== undefined) throw new Error('an answer that goes on: use follow()');
    const isJson = /[/+]json/.test(answer.headers['content-type'] ?? '');
    return { status: answer.status, headers: answer.headers, text: answer.body, json: isJson ? JSON.parse(answer.body) : undefined };
  }

  /** An answer that goes on, with the administrator's credentials unless others are given. */
  async follow(target: string, credentials: Record<string, string> = basic('admin', PASSWORD)): Promise<RestStream> {
    const [path = '', query = ''] = `/${TENANT}/api/v1${target}`.split('?');
    const headers = { ...credentials, accept: 'application/x-ndjson' };
    const { status, body, stream } = await this.handle({ method: 'GET', path, query, headers, body: new Uint8Array(), source: 'test' });
    if (stream === undefined) throw new Error(`${status} ${body}`);
    return stream;
  }

  /** Everything that is stored, but for the audit log: a refused request is in that and changes nothing else. */
  contents(): string {
    const entries = this.store.read((view) => view.range({ prefix: '', limit: 10_000 }));
    return JSON.stringify(entries.filter(({ key }) => !key.startsWith('audit')).map(({ key, value }) => [key, toHex(value)]));
  }

  /** Headers of an administrator with this role, who is added for it. */
  async headersOf(role: AdminRole): Promise<Record<string, string>> {
    const { administrator, password } = await this.administrators.create({ username: `the-${role}`, role });
    return basic(administrator.username, password);
  }

  isRegistered(userId: string): boolean {
    return this.registered.has(toHex(userIdHash(this.crypto, userId)));
  }

  /** Puts an active device into the store, as an activation would. */
  async addDevice(user: UserRecord, deviceId: string, more: Partial<DeviceRecord> = {}): Promise<DeviceRecord> {
    const info = { platform: 'ios', osVersion: '18.1', model: 'iPhone', clientVersion: '1.0', serialNumber: `S-${deviceId}` };
    const device = activeDevice({ deviceId, userGuid: user.guid, userId: user.userId, info }, this.clock.nowMs(), more);
    await this.store.transaction((tx) => putDevice(tx, device));
    return device;
  }

  /** Puts an activated app into the store, as F3.11 would. `instanceId` in hex. */
  async addApp(user: UserRecord, instanceId: string, more: Partial<AppInstanceRecord> = {}): Promise<AppInstanceRecord> {
    const nowMs = this.clock.nowMs();
    const app: AppInstanceRecord = {
      ...{ instanceId, userGuid: user.guid, appId: 'com.example.mail', appVersion: '1.0.0.0', platform: 'android 16' },
      ...{ linkId: instanceId, keyId: instanceId, masterSessionKey: new Uint8Array(32).fill(1), sessionKeyId: new Uint8Array(16) },
      ...{ sessionKeyExpiresAtMs: nowMs + 86_400_000, activatedAtMs: nowMs },
      ...more,
    };
    await this.store.transaction((tx) => putAppInstance(tx, app));
    return app;
  }
}

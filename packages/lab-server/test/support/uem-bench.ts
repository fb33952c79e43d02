import { type ActivationSecret, canonicalUserId, type PeerIdentity, passwordStretch, stretchQrSecret, verifierFromStretched, x509 } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { type FakeClock, fakeClock, rememberedScrypt, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { deviceAuthority } from '../../src/ca/device-authority.ts';
import { createRingJournal } from '../../src/journal/journal.ts';
import type { RoleAnswer, RoleName, ServiceName } from '../../src/roles/role.ts';
import type { WakeUpTarget } from '../../src/roles/uem/notifier.ts';
import { createOutbox, type Outbox } from '../../src/roles/uem/outbox.ts';
import { createUemRole, type UemRole } from '../../src/roles/uem/uem-role.ts';
import { putActivationSecret } from '../../src/state/activation-secrets.ts';
import { sendCommand } from '../../src/state/device-lifecycle.ts';
import { deviceById } from '../../src/state/devices.ts';
import { type ActivationProfileRecord, DEFAULT_PROFILE_ID, generationOf, putProfile } from '../../src/state/profiles.ts';
import { putTenant } from '../../src/state/tenants.ts';
import { fullBudget, TRY_RULES } from '../../src/state/try-budget.ts';
import { createUser, userByUserId } from '../../src/state/users.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

export const crypto = rememberedScrypt(nodeCrypto());
export const NOW_MS = Date.UTC(2026, 5, 1, 12, 0, 0);
export const DAY_MS = 86_400_000;
export const CORE_ID = 'uem-lab';
export const USER = 'ada@example.com';
/** The least that a device takes. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
export const PROFILE: ActivationProfileRecord = {
  profileId: DEFAULT_PROFILE_ID,
  name: 'Default',
  activationType: 'work-and-personal-full-control',
  createWorkSpace: true,
  encryptDevice: true,
  pollIntervalS: 900,
  pollJitterS: 60,
  allowedDevices: 3,
};

export interface SecretOptions {
  readonly userId?: string;
  readonly expireAfterUse?: boolean;
  readonly lifeMs?: number;
  readonly slot?: number;
  readonly profileId?: string;
}

const rootKey = crypto.p256PublicKey(seededEntropy('uem root').randomBytes(32));
const rootInfo = x509.certificateInfo(crypto, {
  serial: Uint8Array.of(1),
  issuer: { commonName: 'Test root', publicKey: rootKey },
  commonName: 'Test root',
  publicKey: rootKey,
  notBeforeMs: NOW_MS - DAY_MS,
  notAfterMs: NOW_MS + 3_650 * DAY_MS,
  purpose: { kind: 'authority', pathLength: 0 },
});
const rootScalar = seededEntropy('uem root').randomBytes(32);
export const ROOT = x509.certificate(rootInfo, crypto.p256Sign(rootScalar, rootInfo));

/** A UEM on a memory store, with a clock that stands still. */
export class UemBench {
  readonly clock: FakeClock = fakeClock(NOW_MS);
  readonly journal = createRingJournal();
  readonly entropy = seededEntropy('uem bench');
  readonly authority = deviceAuthority(crypto, this.entropy.fork('authority'), { scalar: rootScalar, certificate: ROOT });
  store = new MemoryStore();
  role: UemRole | undefined;
  outbox: Outbox | undefined;
  readonly woken: WakeUpTarget[][] = [];
  private secrets = 0;
  private commands = 0;

  static async start(profile: Partial<ActivationProfileRecord> = {}): Promise<UemBench> {
    const bench = new UemBench();
    await bench.store.transaction((tx) => {
      putTenant(tx, { tenantId: 'tenant', coreId: CORE_ID, name: 'Lab', fakeSaltKey: bench.entropy.randomBytes(32), cost: COST, createdAtMs: NOW_MS });
      putProfile(tx, { ...PROFILE, ...profile });
    });
    bench.startRole();
    return bench;
  }

  /** As after `kill -9`: everything that was not committed is gone. */
  restart(): void {
    this.store = this.store.snapshot();
    this.startRole();
  }

  /** Who calls the services of other roles. */
  caller: RoleName | { readonly refused: string } = 'noc';
  /** Access keys that the NOC was to hear of. */
  readonly told: string[] = [];

  /** What compliance says about new activations. */
  blocked: string | undefined;

  private startRole(): void {
    const { clock, journal, authority, store } = this;
    const addresses = { device: 'localhost:1', notification: 'localhost:2' };
    this.role = createUemRole({
      clock,
      crypto,
      entropy: this.entropy.fork(`role ${this.journal.last}`),
      store,
      journal,
      authority,
      addresses,
      guard: { roleOf: () => this.caller, tenantOf: () => ({ refused: 'nobody' }), proxyOf: () => ({ refused: 'nobody' }) },
      noc: { tell: (keyId) => void this.told.push(keyId), flush: async () => {} },
      compliance: { blockedActivation: () => this.blocked },
    });
    this.outbox = createOutbox({ store, notifier: { wakeUp: (targets) => this.woken.push([...targets]) } });
  }

  async addUser(userId = USER): Promise<string> {
    const guid = `guid-of-${userId}`;
    const user = { guid, userId: canonicalUserId(userId), username: userId, displayName: userId, createdAtMs: this.clock.nowMs() };
    await this.store.transaction((tx) => createUser(tx, user));
    return guid;
  }

  async addPassword(password: string, options: SecretOptions = {}): Promise<ActivationSecret> {
    const { userId = USER } = options;
    const salt = this.entropy.randomBytes(16);
    const stretch = passwordStretch(password, { userId: canonicalUserId(userId), coreId: CORE_ID }, salt, COST);
    await this.putSecret('password', salt, await crypto.scrypt(stretch.password, stretch.salt, stretch.cost, stretch.lengthBytes), options);
    return { kind: 'password', userId, password, slot: options.slot };
  }

  async addQr(options: SecretOptions = {}): Promise<ActivationSecret> {
    const { userId = USER } = options;
    const secret = this.entropy.randomBytes(16);
    const salt = this.entropy.randomBytes(16);
    await this.putSecret('qr', salt, stretchQrSecret(crypto, secret, { userId: canonicalUserId(userId), coreId: CORE_ID }, salt), options);
    const code = {
      format: 1,
      host: 'localhost:3',
      userId,
      secret,
      spkiPin: new Uint8Array(32),
      coreId: CORE_ID,
      expiryEpochS: NOW_MS,
      secretSlot: options.slot,
    };
    return { kind: 'qr', code };
  }

  private async putSecret(kind: wire.SecretKind, salt: Uint8Array, stretched: Uint8Array, options: SecretOptions): Promise<void> {
    const { userId = USER, expireAfterUse = true, lifeMs = 30 * DAY_MS, slot = 0, profileId } = options;
    const verifier = verifierFromStretched(crypto, stretched);
    const nowMs = this.clock.nowMs();
    await this.store.transaction((tx) => {
      const user = userByUserId(tx, canonicalUserId(userId));
      if (user === undefined || verifier === undefined) throw new Error('the bench has no such user');
      putActivationSecret(tx, {
        secretId: `secret-${this.secrets++}`,
        userGuid: user.guid,
        userId: user.userId,
        kind,
        salt,
        cost: COST,
        w0: verifier.w0,
        L: verifier.L,
        createdAtMs: nowMs,
        expiresAtMs: nowMs + lifeMs,
        expireAfterUse,
        slot,
        profileId,
        profileGeneration: profileId === undefined ? undefined : generationOf(tx, profileId),
        tries: fullBudget(TRY_RULES[kind], nowMs),
      });
    });
  }

  /** Puts a command into the queue, as the administrator does. */
  async send(deviceId: string, type: string, options: { readonly properties?: wire.WireDocument; readonly expiresAtMs?: number } = {}): Promise<string> {
    const commandId = (++this.commands).toString(16).padStart(32, '0');
    const command = { commandId, deviceId, type, properties: options.properties ?? {}, expiresAtMs: options.expiresAtMs };
    const sent = await this.store.transaction((tx) => {
      const device = deviceById(tx, deviceId);
      return device === undefined ? 'unknown' : sendCommand(tx, device, command, this.clock.nowMs());
    });
    if (typeof sent === 'string') throw new Error(sent);
    this.outbox?.wake(deviceId);
    return commandId;
  }

  ask(service: ServiceName, frame: Uint8Array, peer: PeerIdentity): Promise<RoleAnswer> {
    return (this.role as UemRole).handle({ service, frame, peer });
  }

  /** Reasons of the journal, for whoever was refused. */
  get reasons(): readonly string[] {
    return this.journal.entries().flatMap(({ reason }) => reason ?? []);
  }
}

/** Frame of an answer that has one. */
export function frameIn(answer: RoleAnswer): wire.Frame {
  if (answer.status !== 'answered') throw new Error(`answered ${answer.status}`);
  return wire.parseFrame(answer.frame);
}

/** Code of an answer that is an alert. */
export function alertIn(answer: RoleAnswer): wire.AlertCode {
  return wire.alert.decode(frameIn(answer)).code;
}

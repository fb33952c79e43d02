import {
  ACTIVATION_SALT_BYTES,
  type Clock,
  type CryptoProvider,
  type Entropy,
  isProtocolError,
  keySchedule,
  passwordStretch,
  type Spake2Verifier,
  secret,
  stretchQrSecret,
  toBase64url,
  verifierFromStretched,
  wipe,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { type ActivationSecretRecord, activationSecret, hasItsProfile, putActivationSecret } from '../state/activation-secrets.ts';
import { type ActivationSettingsRecord, activationSettings } from '../state/activation-settings.ts';
import { endUnconfirmed } from '../state/device-lifecycle.ts';
import { randomUuid } from '../state/ids.ts';
import { generationOf } from '../state/profiles.ts';
import { type TenantRecord, tenantOf } from '../state/tenants.ts';
import { fullBudget, TRY_RULES } from '../state/try-budget.ts';
import { type UserRecord, userByGuid } from '../state/users.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import { type IssuedPassword, type IssuedQrCode, type NewPassword, type NewSecret, SECRET_LEAST_LIFE_MS, SECRET_LIFE_MS } from './administration.ts';
import { generatePassword } from './generated-password.ts';
import { AdminProblem } from './problem.ts';
import { requireProfile } from './require-profile.ts';

/** Passwords that wait to be stretched; each takes about 70 ms of a thread, and how many run at once is the provider's choice. */
export const MAX_STRETCHES_IN_WORK = 256;
/** A password that a person chose has at least so many characters. */
const LEAST_PASSWORD_CHARACTERS = 8;

export interface SecretIssuerOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Activation listener, for QR codes: where it is, and the SHA-256 of its public key. */
  readonly activation: { readonly address: string; readonly spkiPin: Uint8Array };
}

/** Makes activation passwords and QR codes (F1.1c). The secret is told once; the store gets a verifier. */
export interface SecretIssuer {
  /** Throws what `password` or `qrCode` would: for those who make several, of which none may be made when one is refused. */
  check(guid: string, kind: wire.SecretKind, wanted: NewPassword): void;
  password(guid: string, wanted: NewPassword): Promise<IssuedPassword>;
  qrCode(guid: string, wanted: NewSecret): Promise<IssuedQrCode>;
}

/** What is known of a secret before it is made. */
interface PreparedSecret {
  readonly user: UserRecord;
  readonly tenant: TenantRecord;
  readonly settings: ActivationSettingsRecord;
  readonly kind: wire.SecretKind;
  readonly slot: number;
  readonly profileId: string | undefined;
  readonly expireAfterUse: boolean;
  readonly expiresAtMs: number;
}

/**
 * A paired secret takes the place of that of the same profile, or one that is free or of no use any more.
 * @throws AdminProblem `INVALID_PROPERTY`, `TOO_MANY_PASSWORDS`
 */
function slotFor(
  view: ReadView,
  userGuid: string,
  kind: wire.SecretKind,
  { paired = false, profileId, replacesAll = false }: NewSecret,
  nowMs: number,
): number {
  if (!paired) return 0;
  if (profileId === undefined) throw new AdminProblem('INVALID_PROPERTY', 'paired: needs the activation profile that the password is paired with');
  const slots = Array.from({ length: wire.SECRET_SLOTS - 1 }, (_, index) => index + 1);
  const inSlot = (slot: number): ActivationSecretRecord | undefined => activationSecret(view, userGuid, kind, slot);
  const isFree = (slot: number): boolean => {
    const kept = inSlot(slot);
    return kept === undefined || kept.expiresAtMs <= nowMs || !hasItsProfile(view, kept);
  };
  const slot = slots.find((one) => inSlot(one)?.profileId === profileId) ?? slots.find(isFree) ?? (replacesAll ? slots[0] : undefined);
  if (slot === undefined) throw new AdminProblem('TOO_MANY_PASSWORDS', `the user has ${slots.length} passwords that are paired with profiles already`);
  return slot;
}

export function createSecretIssuer(options: SecretIssuerOptions): SecretIssuer {
  const { clock, crypto, entropy, store } = options;
  let inWork = 0;

  /** Who the secret is for, where it is kept, and until when; checked before anything costly is done. */
  const prepare = (guid: string, kind: wire.SecretKind, wanted: NewSecret): PreparedSecret =>
    store.read((view) => {
      const nowMs = clock.nowMs();
      const user = userByGuid(view, guid);
      const tenant = tenantOf(view);
      if (user === undefined || tenant === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
      const settings = activationSettings(view);
      const { expiresAtMs = nowMs + settings.secretLifeMs, expireAfterUse = settings.expireAfterUse, profileId } = wanted;
      if (!(expiresAtMs >= nowMs + SECRET_LEAST_LIFE_MS && expiresAtMs <= nowMs + SECRET_LIFE_MS))
        throw new AdminProblem('INVALID_PROPERTY', 'expiry: is not from one minute to 30 days from now');
      requireProfile(view, profileId);
      const slot = slotFor(view, guid, kind, wanted, nowMs);
      return { user, tenant, settings, kind, slot, profileId, expireAfterUse, expiresAtMs: Math.floor(expiresAtMs) };
    });

  const keep = async (
    { user, tenant, kind, slot, profileId, expireAfterUse, expiresAtMs }: PreparedSecret,
    { salt, verifier }: { readonly salt: Uint8Array; readonly verifier: Spake2Verifier },
  ): Promise<void> => {
    const createdAtMs = clock.nowMs();
    const record: ActivationSecretRecord = {
      secretId: randomUuid(entropy),
      userGuid: user.guid,
      userId: user.userId,
      kind,
      slot,
      salt,
      cost: tenant.cost,
      w0: verifier.w0,
      L: verifier.L,
      createdAtMs,
      expiresAtMs,
      expireAfterUse,
      profileId,
      tries: fullBudget(TRY_RULES[kind], createdAtMs),
    };
    await store.transaction((tx) => {
      // User and profile may have been deleted while the password was stretched.
      if (userByGuid(tx, user.guid) === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
      requireProfile(tx, profileId);
      const before = activationSecret(tx, user.guid, kind, slot);
      if (before !== undefined) endUnconfirmed(tx, user.guid, ({ secretId }) => secretId === before.secretId, createdAtMs);
      putActivationSecret(tx, { ...record, profileGeneration: profileId === undefined ? undefined : generationOf(tx, profileId) });
    });
  };

  /**
   * A verifier over the salt that A2 gives when there is no secret: a salt that changes when a secret is made or used up would tell anybody who asks
   * twice that the user exists. The chance that a scalar is 0 is 2^-255, then with another salt.
   */
  const verifierOver = async (
    { user, tenant, kind }: PreparedSecret,
    stretch: (salt: Uint8Array) => Promise<Uint8Array> | Uint8Array,
  ): Promise<{ readonly salt: Uint8Array; readonly verifier: Spake2Verifier }> => {
    let salt = keySchedule.fakeSalt(crypto, secret(tenant.fakeSaltKey), user.userId, kind);
    for (;;) {
      const verifier = verifierFromStretched(crypto, await stretch(salt));
      if (verifier !== undefined) return { salt, verifier };
      salt = entropy.randomBytes(ACTIVATION_SALT_BYTES);
    }
  };

  /** The same for a password that is to be stretched. */
  const preparePassword = (guid: string, wanted: NewPassword): PreparedSecret & { readonly password: string } => {
    const prepared = prepare(guid, 'password', wanted);
    const { user, tenant, settings } = prepared;
    const password = wanted.password ?? generatePassword(entropy, settings);
    if ([...password].length < LEAST_PASSWORD_CHARACTERS)
      throw new AdminProblem('INVALID_PROPERTY', `password: has fewer than ${LEAST_PASSWORD_CHARACTERS} characters`);
    wipe(stretchOf(password, user.userId, tenant, new Uint8Array(ACTIVATION_SALT_BYTES)).password);
    if (inWork >= MAX_STRETCHES_IN_WORK) throw new AdminProblem('BUSY', 'too many passwords are being made', { 'retry-after': '5' });
    return { ...prepared, password };
  };

  return {
    check(guid, kind, wanted) {
      if (kind === 'password') preparePassword(guid, wanted);
      else prepare(guid, kind, wanted);
    },
    async password(guid, wanted) {
      const prepared = preparePassword(guid, wanted);
      const { user, tenant, slot, expiresAtMs, password } = prepared;
      inWork += 1;
      try {
        const made = await verifierOver(prepared, async (salt) => {
          const request = stretchOf(password, user.userId, tenant, salt);
          try {
            return await crypto.scrypt(request.password, request.salt, request.cost, request.lengthBytes);
          } finally {
            wipe(request.password);
          }
        });
        await keep(prepared, made);
      } finally {
        inWork -= 1;
      }
      return { password, expiresAtMs, slot };
    },

    async qrCode(guid, wanted) {
      const prepared = prepare(guid, 'qr', wanted);
      const { user, tenant, slot, expiresAtMs } = prepared;
      const { coreId } = tenant;
      const qrSecret = entropy.randomBytes(16);
      const made = await verifierOver(prepared, (salt) => stretchQrSecret(crypto, qrSecret, { userId: user.userId, coreId }, salt));
      await keep(prepared, made);
      const { address: host, spkiPin } = options.activation;
      const map = wire.qrCode.encode(
        {
          format: 1,
          host,
          userId: user.userId,
          secret: qrSecret,
          spkiPin,
          coreId,
          expiryEpochS: Math.floor(expiresAtMs / 1_000),
          secretSlot: slot === 0 ? undefined : slot,
        },
        'qrCode',
      );
      const content = toBase64url(wire.encodeCbor(map));
      wipe(qrSecret);
      return { content, expiresAtMs, slot };
    },
  };
}

function stretchOf(password: string, userId: string, tenant: TenantRecord, salt: Uint8Array): ReturnType<typeof passwordStretch> {
  try {
    return passwordStretch(password, { userId, coreId: tenant.coreId }, salt, tenant.cost);
  } catch (error) {
    if (isProtocolError(error) && error.kind === 'local') throw new AdminProblem('INVALID_PROPERTY', `password: ${error.message}`);
    throw error;
  }
}

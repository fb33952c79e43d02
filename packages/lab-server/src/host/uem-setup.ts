import { DEFAULT_SCRYPT_COST, type Entropy, ProtocolError, type ScryptCost } from '@uemkit/protocol';
import { putDefaultConfiguration } from '../configuration/default-configuration.ts';
import { type ActivationProfileRecord, DEFAULT_PROFILE_ID, profileFor, putProfile } from '../state/profiles.ts';
import { putTenant, STATE_FORMAT, type TenantRecord, tenantOf } from '../state/tenants.ts';
import type { LabStore } from '../store/lab-store.ts';

/** Profile of users that none was assigned to: everything that an activation can do. */
const DEFAULT_PROFILE: ActivationProfileRecord = {
  profileId: DEFAULT_PROFILE_ID,
  name: 'Default',
  activationType: 'work-and-personal-full-control',
  createWorkSpace: true,
  encryptDevice: true,
  pollIntervalS: 900,
  pollJitterS: 60,
  allowedDevices: 100,
};

export interface TenantOptions {
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly tenantId: string;
  readonly coreId: string;
  readonly nowMs: number;
  /** Cost of guessing an activation password; for a new tenant only. */
  readonly cost?: ScryptCost | undefined;
  /** Changes the default activation profile of a new tenant. */
  readonly profile?: Partial<ActivationProfileRecord> | undefined;
}

/**
 * The tenant of the store; a new store gets one with the default activation profile (F1.1b).
 * @throws ProtocolError `ERR_STORE_READ` for the state of another version
 */
export function setUpTenant(options: TenantOptions): Promise<TenantRecord> {
  const { entropy, store, tenantId, coreId, nowMs, cost = DEFAULT_SCRYPT_COST, profile = {} } = options;
  return store.transaction((tx) => {
    const known = tenantOf(tx);
    if (known !== undefined && known.format !== STATE_FORMAT) {
      throw new ProtocolError(
        'ERR_STORE_READ',
        'another version of the lab server wrote this state; begin with an empty folder, or start the version that wrote it',
        {
          details: { found: known.format ?? 1, expected: STATE_FORMAT },
        },
      );
    }
    if (profileFor(tx, undefined) === undefined) putProfile(tx, { ...DEFAULT_PROFILE, ...profile, profileId: DEFAULT_PROFILE_ID });
    putDefaultConfiguration(tx, nowMs);
    if (known !== undefined) return known;
    const tenant: TenantRecord = { tenantId, coreId, name: 'Lab', fakeSaltKey: entropy.randomBytes(32), cost, createdAtMs: nowMs, format: STATE_FORMAT };
    putTenant(tx, tenant);
    return tenant;
  });
}

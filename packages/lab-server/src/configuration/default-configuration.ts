import { configurationProfileById, DEFAULT_KINDS, defaultProfileId, putConfigurationProfile } from '../state/configuration-profiles.ts';
import { encodeDocument } from '../state/inventory.ts';
import { DEFAULT_POLICY_ID, policyById, putPolicy } from '../state/policies.ts';
import type { WriteView } from '../store/lab-store.ts';

const LAST_RANK = Number.MAX_SAFE_INTEGER;

/** Default policy and default profiles of a tenant that has none yet. They say nothing, so devices are sent nothing of them. */
export function putDefaultConfiguration(tx: WriteView, nowMs: number): void {
  const nothing = encodeDocument({});
  if (policyById(tx, DEFAULT_POLICY_ID) === undefined)
    putPolicy(tx, { policyId: DEFAULT_POLICY_ID, name: 'Default', rank: LAST_RANK, version: 1, rules: nothing, digests: {}, updatedAtMs: nowMs });
  for (const kind of DEFAULT_KINDS) {
    const profileId = defaultProfileId(kind);
    if (configurationProfileById(tx, profileId) === undefined)
      putConfigurationProfile(tx, { profileId, kind, name: 'Default', rank: LAST_RANK, version: 1, content: nothing, updatedAtMs: nowMs });
  }
}

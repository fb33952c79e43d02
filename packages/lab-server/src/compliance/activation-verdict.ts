import { assignmentReader } from '../configuration/assigned-objects.ts';
import { effectiveConfiguration } from '../configuration/effective.ts';
import type { ComplianceRules } from '../roles/uem/issue-device.ts';
import { configurationProfileById } from '../state/configuration-profiles.ts';
import { decodeDocument } from '../state/inventory.ts';
import { osFamilyOf } from '../state/os-family.ts';
import type { ReadView } from '../store/lab-store.ts';
import type { ComplianceContent } from './compliance-content.ts';
import { type ActivationFacts, activationViolations } from './violations.ts';

/** Why a device must not be activated, in words for its user; undefined: the rules let it. Jailbreak, version and model rules block whatever their action is (documented). Pure. */
export function activationVerdict(content: ComplianceContent, facts: ActivationFacts): string | undefined {
  return activationViolations(content, facts)[0]?.displayName;
}

/** Content of the compliance profile in force; every device begins with an empty one. */
export function complianceContentOf(view: ReadView, profileId: string | undefined): ComplianceContent {
  const profile = profileId === undefined ? undefined : configurationProfileById(view, profileId);
  // It was checked against its schema before it was stored.
  return profile === undefined ? {} : (decodeDocument(profile.content) as unknown as ComplianceContent);
}

/** The compliance rules of new activations (F1.4): those of the user and of the groups that the user is in, as there is no device yet that could be in a device group. */
export const COMPLIANCE_RULES: ComplianceRules = {
  blockedActivation(view, { userGuid, info }) {
    const { ranked } = effectiveConfiguration(assignmentReader(view).inputOfUser(userGuid));
    const { platform, osVersion, model, compromised } = info;
    return activationVerdict(complianceContentOf(view, ranked.compliance), { osFamily: osFamilyOf(platform), osVersion, hardwareModel: model, compromised });
  },
};

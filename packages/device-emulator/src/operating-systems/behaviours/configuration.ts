import { toBase64url, type wire } from '@uemkit/protocol';
import type { DeviceState, PlainDocument, PlainValue, RevisedDocument } from '../device-state.ts';
import { type Behaviour, done, failed } from './behaviour.ts';

/** Policies arrive as wire documents; byte strings are kept as base64url. */
export function toPlain(document: wire.WireDocument): PlainDocument {
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: wire.WireDocumentValue): PlainValue {
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return toBase64url(value);
  if (Array.isArray(value)) return (value as readonly wire.WireDocumentValue[]).map(plainValue);
  return toPlain(value as wire.WireDocument);
}

function isDocument(value: wire.WireDocumentValue | undefined): value is wire.WireDocument {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Rules of the policy in force that the device breaks. */
export function policyViolations(state: DeviceState): readonly string[] {
  const rules = state.policy.content;
  const violations: string[] = [];
  if (rules.passwordRequired === true && state.passwordHash === undefined) violations.push('passwordRequired');
  if (rules.encryptionRequired === true && !state.encrypted) violations.push('encryptionRequired');
  return violations;
}

/** A newer revision replaces the document; an older or equal one is passed over, and the answer says which is in force. */
function revise(field: 'policy' | 'profiles', type: string, describe: (state: DeviceState) => wire.WireDocument): Behaviour {
  return (state, properties) => {
    const content = properties[field];
    const revision = properties.revision;
    if (!isDocument(content)) return failed(state, `${type}: ${field} is missing or no document`);
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 1) return failed(state, `${type}: revision must be a number from 1`);
    const inForce: RevisedDocument = state[field];
    if (revision <= inForce.revision) return done(state, { applied: false, revision: inForce.revision, reason: 'this revision or a newer one is in force' });
    const next: DeviceState = { ...state, [field]: { revision, content: toPlain(content) } };
    return done(next, { applied: true, revision, ...describe(next) });
  };
}

/** UPDATE_IT_POLICY {policy, revision}: replaces the IT policy and reports the rules that the device breaks. */
export const updateItPolicy: Behaviour = revise('policy', 'UPDATE_IT_POLICY', (state) => {
  const violations = policyViolations(state);
  return { compliant: violations.length === 0, violations };
});

/** UPDATE_PROFILES {profiles, revision}: replaces the set of profiles. */
export const updateProfiles: Behaviour = revise('profiles', 'UPDATE_PROFILES', (state) => ({ profiles: Object.keys(state.profiles.content) }));

import { toBase64url } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { DeviceState, PlainDocument, PlainValue, RevisedDocument } from '../device-state.ts';
import { type Behaviour, type BehaviourContext, type BehaviourResult, done } from './behaviour.ts';

/** Documents that UEM keeps on a device. */
export type HeldDocument = 'policy' | 'profiles' | 'applications';

/** What follows from a new document: the state with it in force, and what the answer says of it. Or why the device cannot have it. */
export type DocumentEffect = (
  next: DeviceState,
  before: RevisedDocument,
  context: BehaviourContext,
) => { readonly state: DeviceState; readonly told: wire.WireDocument } | { readonly refusal: string };

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

export function isDocument(value: wire.WireDocumentValue | undefined): value is wire.WireDocument {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A part of a document that is in force, as far as it is one. */
export function partOf(content: PlainDocument, name: string): PlainDocument {
  const part = content[name];
  return typeof part === 'object' && !Array.isArray(part) ? (part as PlainDocument) : {};
}

/** Rules of the policy in force that the device breaks. */
export function policyViolations(state: DeviceState): readonly string[] {
  const rules = state.policy.content;
  const violations: string[] = [];
  if (partOf(rules, 'password')['required'] === true && state.passwordHash === undefined) violations.push('password.required');
  if (partOf(rules, 'securityAndPrivacy')['encryptionRequired'] === true && !state.encrypted) violations.push('securityAndPrivacy.encryptionRequired');
  return violations;
}

/**
 * An update of a document (section 6.7): the whole of it, or what is to be changed in the revision that the update names as its base. All of it or nothing; with
 * another revision in force the device says so and gets the whole document.
 */
export function update(name: HeldDocument, type: string, effect: DocumentEffect): Behaviour {
  return (state, properties, context) => {
    const held = state[name];
    const refuse = (message: string): BehaviourResult => ({
      state,
      outcome: { status: 'failed', message: `${type}: ${message}`, data: { revision: held.revision } },
    });
    const { revision, baseRevision, set, remove = [] } = properties;
    if (!isRevision(revision)) return refuse('revision must be a number from 1');
    if (!isDocument(set)) return refuse('set is missing or no document');
    if (!Array.isArray(remove) || !remove.every((part) => typeof part === 'string')) return refuse('remove must be a list of names');
    if (baseRevision !== undefined && baseRevision !== held.revision) return refuse('the base of the update is not the revision in force');
    if (baseRevision !== undefined && revision <= held.revision) return refuse('the revision is not newer than its base');
    const kept = baseRevision === undefined ? {} : without(held.content, remove as readonly string[]);
    const next = { ...state, [name]: { revision, content: { ...kept, ...toPlain(set) } } };
    const followed = effect(next, held, context);
    return 'refusal' in followed ? refuse(followed.refusal) : done(followed.state, { revision, ...followed.told });
  };
}

function isRevision(value: wire.WireDocumentValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function without(content: PlainDocument, names: readonly string[]): PlainDocument {
  return Object.fromEntries(Object.entries(content).filter(([name]) => !names.includes(name)));
}

/** UPDATE_IT_POLICY: the IT policy. The device encrypts itself when it has to and can; rules that it breaks all the same are reported. */
export const updateItPolicy: Behaviour = update('policy', 'UPDATE_IT_POLICY', (next, _before, { activationType }) => {
  const mustEncrypt = partOf(next.policy.content, 'securityAndPrivacy')['encryptionRequired'] === true;
  const state = { ...next, encrypted: next.encrypted || (mustEncrypt && activationType.encryptsDevice) };
  const violations = policyViolations(state);
  return { state, told: { compliant: violations.length === 0, violations } };
});

/** UPDATE_PROFILES: the profiles. The answer names them, never what is in them. */
export const updateProfiles: Behaviour = update('profiles', 'UPDATE_PROFILES', (state) => ({ state, told: { profiles: Object.keys(state.profiles.content) } }));

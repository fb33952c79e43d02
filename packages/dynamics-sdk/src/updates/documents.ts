import { type CryptoProvider, keySchedule, sameBytes } from '@uemkit/protocol';
import {
  type AppDocument,
  type AppReport,
  type AppState,
  type AppUpdate,
  encodeAppDocument,
  type ProvisioningData,
  type WireDocument,
} from '@uemkit/protocol/wire';
import type { SavedUpdate } from '../state/saved-update.ts';
import type { ChangedPart } from './update-result.ts';

/** The documents of an app with what UEM has said last in their places. */
export function updatedData(data: ProvisioningData, { configuration, policies, endedPolicies, proxies }: AppUpdate): ProvisioningData {
  const policy: Record<string, WireDocument[string]> = Object.create(null);
  for (const [name, content] of Object.entries({ ...data.policy, ...policies })) if (!endedPolicies.includes(name)) policy[name] = content;
  return { ...data, configuration: configuration ?? data.configuration, policy, proxies: proxies ?? data.proxies };
}

/** Compares by content: UEM may send again what the app has. */
export function changedParts(before: ProvisioningData, after: ProvisioningData): readonly ChangedPart[] {
  const rest = ({ entitledVersions: _versions, ...configuration }: WireDocument): WireDocument => configuration as WireDocument;
  const versions = ({ entitledVersions }: WireDocument): WireDocument => (entitledVersions === undefined ? {} : { entitledVersions });
  const isOther = (a: AppDocument, b: AppDocument): boolean => !sameBytes(encodeAppDocument(a), encodeAppDocument(b));
  const document = (content: WireDocument): AppDocument => ({ name: 'configuration', content });
  const parts: ChangedPart[] = [];
  if (isOther(document(rest(before.configuration)), document(rest(after.configuration)))) parts.push('configuration');
  const shown = ({ services: _services, ...policy }: WireDocument): WireDocument => policy as WireDocument;
  const services = ({ services: apps }: WireDocument): WireDocument => (apps === undefined ? {} : { apps });
  if (isOther(document(shown(before.policy)), document(shown(after.policy)))) parts.push('policy');
  const areProxiesOther = isOther({ name: 'proxies', content: before.proxies }, { name: 'proxies', content: after.proxies });
  if (areProxiesOther || isOther(document(services(before.policy)), document(services(after.policy)))) parts.push('services');
  if (isOther(document(versions(before.configuration)), document(versions(after.configuration)))) parts.push('entitlements');
  return parts;
}

/** What UEM is told of the documents: each by its hash. Entries of the policy that are no documents are none here. */
export function reportOf(
  crypto: CryptoProvider,
  data: ProvisioningData,
  { console }: SavedUpdate,
  { state, unlockKeyId }: { readonly state: AppState; readonly unlockKeyId: Uint8Array | undefined },
): AppReport {
  const hash = (document: AppDocument): Uint8Array => keySchedule.appDocumentHash(crypto, document);
  const entries = Object.entries(data.policy).filter((entry): entry is [string, WireDocument] => isDocument(entry[1]));
  return {
    configuration: hash({ name: 'configuration', content: data.configuration }),
    policies: entries.map(([name, content]) => ({ name, hash: hash({ name: `policy/${name}`, content }) })),
    proxies: hash({ name: 'proxies', content: data.proxies }),
    ...(console === undefined ? {} : { console: hash({ name: 'console', content: console }) }),
    state,
    ...(unlockKeyId === undefined ? {} : { unlockKeyId }),
  };
}

function isDocument(value: unknown): value is WireDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

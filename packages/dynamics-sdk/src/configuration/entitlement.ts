import { ProtocolError } from '@uemkit/protocol';
import type { WireDocument } from '@uemkit/protocol/wire';

const ID = /^(?=.{1,255}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;
const VERSION = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){0,3}$/;

/**
 * Entitlement id (reverse domain of lower-case letters, digits, hyphens) and version (one to four numbers below 1,000, no leading zero), as documented.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`
 */
export function requireEntitlement({ appId, version }: { readonly appId: string; readonly version: string }): void {
  if (!ID.test(appId)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an entitlement id is a reverse domain of lower-case letters, digits and hyphens');
  if (!VERSION.test(version)) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an entitlement version is one to four numbers of up to three digits');
}

/**
 * What the newest configuration says about this version. UEM gives no data to an app that is not assigned, so without a list every version is entitled; a list
 * without any version takes the right away.
 */
export function entitlementOf(configuration: WireDocument, version: string): 'entitled' | 'other-version' | 'none' {
  const { entitledVersions } = configuration as { readonly entitledVersions?: unknown };
  if (!Array.isArray(entitledVersions)) return 'entitled';
  if (entitledVersions.length === 0) return 'none';
  return entitledVersions.includes(version) ? 'entitled' : 'other-version';
}

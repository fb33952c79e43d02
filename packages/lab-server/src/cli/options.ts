import { isIP } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';
import { isLoopback, type LabPlace } from '../data/lab-addresses.ts';
import { requireOrigin } from '../node/page-access.ts';
import type { RoleName } from '../roles/role.ts';

/** Data folder when none is named. */
export const DEFAULT_FOLDER = '.lab';

const ROLES: readonly RoleName[] = ['infrastructure', 'uem', 'notification', 'noc', 'connectivity-node'];

/** @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function roleOf(text: string | undefined): RoleName | undefined {
  if (text === undefined || text === '') return undefined;
  const role = ROLES.find((name) => name === text);
  if (role === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--role ${text}: there are ${ROLES.join(', ')}`);
  return role;
}

/** Roles with addresses of their own, from `ROLE=ADDRESS,…`. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function placesOf(text: string | undefined): NonNullable<LabPlace['roles']> {
  const places: Partial<Record<RoleName, { readonly host: string; readonly advertise: string }>> = {};
  for (const entry of text === undefined || text === '' ? [] : text.split(',')) {
    const [name = '', host = '', ...more] = entry.split('=').map((part) => part.trim());
    const role = ROLES.find((known) => known === name);
    if (role === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--place ${entry}: there is no role ${name}; there are ${ROLES.join(', ')}`);
    if (isIP(host) === 0 || more.length > 0)
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `--place ${entry}: an address belongs after the role, as in ${role}=10.0.0.2`);
    if (places[role] !== undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--place ${entry}: ${role} is there twice`);
    places[role] = { host, advertise: host };
  }
  return places;
}

/** A port; 0 is any. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new ProtocolError('ERR_USAGE_ARGUMENT', `--direct-port ${text}: a port is 0 to 65535`);
  return port;
}

/** Origins of a comma-separated list. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function originsOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const origins = text.split(',').map((origin) => origin.trim());
  for (const origin of origins) requireOrigin(origin);
  return origins;
}

/**
 * A lab holds test keys and a password in a file, so the network sees it only when somebody says so.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`
 */
export function requireAllowedHost(host: string | undefined, allowRemote: boolean): void {
  if (host === undefined || isLoopback(host) || allowRemote) return;
  throw new ProtocolError('ERR_USAGE_ARGUMENT', `--host ${host} can be reached from other machines; say --allow-remote if that is what you want`);
}

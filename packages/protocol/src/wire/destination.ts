import { ProtocolError } from '../errors/protocol-error.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bool, type FieldType, optional, required, structure, text, uint } from './schema.ts';

const HOST = /^[A-Za-z0-9._-]+$|^[0-9A-Fa-f:.]+$/;
const hostText: FieldType<string> = text(1, LIMITS.textBytes);

function requireHost(value: string, field: string): string {
  // check: host of a target
  if (!HOST.test(value)) throw new ProtocolError('ERR_WIRE_FIELD', `${field}: is no host name or IP address`, { details: { field } });
  return value;
}

/** DNS name in its ASCII form or IP address, without brackets: nothing else gets as far as a resolver. */
export const host: FieldType<string> = {
  encode: (value, field) => hostText.encode(requireHost(value, field), field),
  decode: (value, field) => requireHost(hostText.decode(value, field), field),
};

export const port: FieldType<number> = uint(1, 65_535);

/** Where a rule allows connections, or forbids them. The first rule that fits decides; where none fits the answer is no. */
export interface Destination {
  /** Host, or a domain with all hosts in it when `subdomains` is true; `*`: every host. */
  readonly host: string;
  readonly subdomains: boolean;
  /** Absent: every port. */
  readonly port?: number | undefined;
  readonly allow: boolean;
}

const pattern: FieldType<string> = {
  encode: (value, field) => (value === '*' ? value : host.encode(value, field)),
  decode: (value, field) => (value === '*' ? value : host.decode(value, field)),
};

export const destinations: FieldType<readonly Destination[]> = arrayOf(
  structure<Destination>({ host: required(0, pattern), subdomains: required(1, bool()), port: optional(2, port), allow: required(3, bool()) }),
  0,
  LIMITS.destinations,
);

/** True when the rules allow this target. Names compare without regard to case, and a dot at the end means nothing. */
export function isDestination(rules: readonly Destination[], target: { readonly host: string; readonly port: number }): boolean {
  const name = plain(target.host);
  const rule = rules.find((candidate) => (candidate.port === undefined || candidate.port === target.port) && fits(candidate, name));
  return rule?.allow === true;
}

function fits({ host: wanted, subdomains }: Destination, name: string): boolean {
  if (wanted === '*') return true;
  const domain = plain(wanted);
  return name === domain || (subdomains && name.endsWith(`.${domain}`));
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

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

/**
 * True when the rules allow this target. Names compare without regard to case, and a dot at the end means nothing; IPv6 addresses compare by value.
 * A target that a resolver may read otherwise than a rule (`10.1`, `0x7f000001`, `a..b`) is allowed by none.
 */
export function isDestination(rules: readonly Destination[], target: { readonly host: string; readonly port: number }): boolean {
  const name = oneForm(target.host);
  // check: one form of a target
  if (name === undefined) return false;
  const rule = rules.find((candidate) => (candidate.port === undefined || candidate.port === target.port) && fits(candidate, name));
  return rule?.allow === true;
}

function fits({ host: wanted, subdomains }: Destination, name: string): boolean {
  if (wanted === '*') return true;
  const domain = oneForm(wanted);
  // A rule about nothing fits nothing.
  return domain !== undefined && (name === domain || (subdomains && name.endsWith(`.${domain}`)));
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
/** Resolvers take every name with such an end for an IPv4 address: octal, hexadecimal, with fewer parts. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

function oneForm(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name.includes(':')) return ipv6(name);
  if (ENDS_IN_NUMBER.test(name)) return IPV4.test(name) ? name : undefined;
  return name.split('.').includes('') ? undefined : name;
}

/** Eight groups; an address of IPv4 inside of IPv6 (RFC 4291, 2.5.5.2) is that address. */
function ipv6(text: string): string | undefined {
  const dotted = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  const octets = dotted?.[2]?.split('.').map(Number) ?? [];
  if (dotted !== null && !IPV4.test(dotted[2] as string)) return undefined;
  const [o0 = 0, o1 = 0, o2 = 0, o3 = 0] = octets;
  const plain = dotted === null ? text : `${dotted[1]}${(o0 * 256 + o1).toString(16)}:${(o2 * 256 + o3).toString(16)}`;
  const [head = '', tail, ...more] = plain.split('::');
  const groupsOf = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = 8 - before.length - after.length;
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined;
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  const [high = 0, low = 0] = numbers.slice(6);
  if (numbers.slice(0, 6).join() === '0,0,0,0,0,65535') return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return numbers.map((number) => number.toString(16)).join(':');
}

/** Four numbers, as a URL writes every form of an IPv4 address. */
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
/** Letters, digits, hyphens, underscores and dots: what a URL leaves of a name, without what only a URL can mean. */
const NAME = /^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/**
 * A host as rules and Proxies see it: small letters, IDN as `xn--`, IP addresses in one form and without brackets, no dot at the end.
 * One form, so that no spelling of a host gets past its rule. @returns undefined for what is no host
 */
export function normalHost(host: string): string | undefined {
  const isIpv6 = host.includes(':');
  // check: nothing but a host
  if (/[\s/?#@%\\]/.test(host) || (isIpv6 && !/^\[?[0-9a-fA-F:.]+\]?$/.test(host))) return undefined;
  const text = isIpv6 && !host.startsWith('[') ? `[${host}]` : host;
  let hostname: string;
  try {
    hostname = new URL(`http://${text}/`).hostname;
  } catch {
    return undefined;
  }
  if (isIpv6) return hostname.slice(1, -1);
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  return NAME.test(name) ? name : undefined;
}

export function isIpAddress(normal: string): boolean {
  return normal.includes(':') || IPV4.test(normal);
}

/** Ends of names that lead to no public server (RFC 6761, RFC 6762, RFC 8375, RFC 7686, and `internal` of ICANN). */
const INTERNAL_ENDS = ['localhost', 'local', 'internal', 'home.arpa', 'intranet', 'corp', 'lan', 'test', 'invalid', 'onion'];

/** True for a host that can only be inside: no domain, a special domain, or an address that is not public. @param normal out of `normalHost` */
export function isInternal(normal: string): boolean {
  if (normal.includes(':')) return !isPublicIpv6(normal);
  const parts = IPV4.exec(normal);
  if (parts !== null) return !isPublicIpv4(Number(parts[1]), Number(parts[2]), Number(parts[3]));
  return !normal.includes('.') || INTERNAL_ENDS.some((end) => normal === end || normal.endsWith(`.${end}`));
}

/** RFC 6890: this network, private, shared, loopback, link-local, IETF, examples, benchmarks, multicast and beyond. */
function isPublicIpv4(a: number, b: number, c: number): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if ((a === 100 && b >= 64 && b < 128) || (a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32)) return false;
  return !((a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)))) || (a === 198 && (b === 18 || b === 19)));
}

/** Global unicast, 2000::/3, without 6to4 (2002::/16) and Teredo (2001::/32), which have an IPv4 address inside. */
function isPublicIpv6(normal: string): boolean {
  const [first = '', second = ''] = normal.split(':');
  return /^[23][0-9a-f]{3}$/.test(first) && first !== '2002' && !(first === '2001' && (second === '' || second === '0'));
}

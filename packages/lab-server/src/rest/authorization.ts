import { type Clock, type CryptoProvider, concatBytes, type Entropy, fromBase64url, toBase64url, u64be, utf8 } from '@uemkit/protocol';
import type { Caller } from '../admin/admin-role.ts';
import type { Administrators } from '../admin/administrators.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { AdministratorRecord } from '../state/administrators.ts';

/** Life of the value that POST /util/authorization gives out. */
export const AUTHORIZATION_MS: number = 12 * 3_600_000;

/** Who may administrate. Values carry their own proof, so that they outlive a restart and nothing has to be kept. */
export interface Authorization {
  /** Value for the Authorization header. @throws AdminProblem `NOT_AUTHENTICATED` */
  issue(username: string, password: string): string;
  /** Takes a value that `issue` gave out, or HTTP Basic. The role is the one of this moment. @throws AdminProblem `NOT_AUTHENTICATED` */
  require(header: string | undefined): Caller;
}

/** Values for the Authorization header that are remembered, so that their proof is not made again with each request. */
export const MAX_PROVED_VALUES = 256;

interface ProvedValue {
  readonly expiresAtMs: number;
  readonly guid: string;
}

const SCHEME = 'Uemkit ';
const PROOF_BYTES = 32;
const RANDOM_BYTES = 16;
const GUID_BYTES = 36;
const CHALLENGE: Readonly<Record<string, string>> = { 'www-authenticate': 'Basic realm="lab", charset="UTF-8"' };

export function createAuthorization(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly administrators: Administrators;
  /** Key of the values for the Authorization header. */
  readonly sessionKey: Uint8Array;
}): Authorization {
  const { clock, crypto, entropy, administrators, sessionKey } = options;

  // BOUNDED by MAX_PROVED_VALUES: values whose proof was right. A script sends one with each request.
  const proved = new Map<string, ProvedValue>();

  /** What a value says, when its proof is right. */
  const read = (text: string): ProvedValue | undefined => {
    let value: Uint8Array;
    try {
      value = fromBase64url(text);
    } catch {
      return undefined;
    }
    if (value.length !== 8 + RANDOM_BYTES + GUID_BYTES + PROOF_BYTES) return undefined;
    const signed = value.subarray(0, -PROOF_BYTES);
    if (!crypto.equal(crypto.hmacSha256(sessionKey, signed), value.subarray(-PROOF_BYTES))) return undefined;
    const expiresAtMs = Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0));
    return { expiresAtMs, guid: new TextDecoder().decode(signed.subarray(-GUID_BYTES)) };
  };

  /** Whom a value was given to, when it is one of ours, still good, and the administrator is still there. */
  const holder = (text: string): AdministratorRecord | undefined => {
    const known = proved.get(text);
    const value = known ?? read(text);
    if (value === undefined) return undefined;
    if (known === undefined) {
      proved.set(text, value);
      if (proved.size > MAX_PROVED_VALUES) proved.delete(proved.keys().next().value as string);
    }
    return value.expiresAtMs <= clock.nowMs() ? undefined : administrators.byGuid(value.guid);
  };

  const basic = (text: string): AdministratorRecord | undefined => {
    const credentials = Buffer.from(text, 'base64').toString('utf8');
    const colon = credentials.indexOf(':');
    return colon < 0 ? undefined : administrators.authenticate(credentials.slice(0, colon), credentials.slice(colon + 1));
  };

  return {
    issue(username, password) {
      const administrator = administrators.authenticate(username, password);
      if (administrator === undefined) throw new AdminProblem('NOT_AUTHENTICATED', 'wrong user name or password');
      const signed = concatBytes(u64be(clock.nowMs() + AUTHORIZATION_MS), entropy.randomBytes(RANDOM_BYTES), utf8(administrator.guid));
      return SCHEME + toBase64url(concatBytes(signed, crypto.hmacSha256(sessionKey, signed)));
    },
    require(header = '') {
      const known = header.startsWith(SCHEME) ? holder(header.slice(SCHEME.length)) : header.startsWith('Basic ') ? basic(header.slice(6)) : undefined;
      if (known === undefined) throw new AdminProblem('NOT_AUTHENTICATED', 'the Authorization header is missing, wrong or expired', CHALLENGE);
      return { username: known.username, role: known.role };
    },
  };
}

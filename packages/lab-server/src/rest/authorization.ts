import { type Clock, type CryptoProvider, concatBytes, type Entropy, fromBase64url, lp, toBase64url, u64be, utf8 } from '@uemkit/protocol';
import { AdminProblem } from '../admin/problem.ts';
import type { Caller } from './admin-role.ts';

/** Life of the value that POST /util/authorization gives out. */
export const AUTHORIZATION_MS: number = 12 * 3_600_000;

/** The one administrator of a lab, as stored: never the password itself. */
export interface AdministratorRecord {
  readonly username: string;
  /** SHA-256 of salt and password; the password is 128 random bits, so there is nothing to stretch. */
  readonly passwordHash: Uint8Array;
  readonly salt: Uint8Array;
  /** Key of the values for the Authorization header. */
  readonly sessionKey: Uint8Array;
}

/** Stored form of a password. */
export function hashPassword(crypto: CryptoProvider, salt: Uint8Array, password: string): Uint8Array {
  return crypto.sha256(concatBytes(lp(utf8('uemkit/1 admin')), lp(salt), lp(utf8(password))));
}

/** Who may administrate. Values carry their own proof, so that they outlive a restart and nothing has to be kept. */
export interface Authorization {
  /** Value for the Authorization header. @throws AdminProblem `NOT_AUTHENTICATED` */
  issue(username: string, password: string): string;
  /** Takes a value that `issue` gave out, or HTTP Basic with the administrator's name and password. @throws AdminProblem `NOT_AUTHENTICATED` */
  require(header: string | undefined): Caller;
}

const SCHEME = 'Uemkit ';
const PROOF_BYTES = 32;
const RANDOM_BYTES = 16;
const CHALLENGE: Readonly<Record<string, string>> = { 'www-authenticate': 'Basic realm="lab", charset="UTF-8"' };

export function createAuthorization(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly administrator: AdministratorRecord;
}): Authorization {
  const { clock, crypto, entropy, administrator } = options;

  const isAdministrator = (username: string, password: string): boolean => {
    const given = hashPassword(crypto, administrator.salt, password);
    return crypto.equal(given, administrator.passwordHash) && username === administrator.username;
  };

  const isIssued = (text: string): boolean => {
    let value: Uint8Array;
    try {
      value = fromBase64url(text);
    } catch {
      return false;
    }
    if (value.length !== 8 + RANDOM_BYTES + PROOF_BYTES) return false;
    const signed = value.subarray(0, -PROOF_BYTES);
    if (!crypto.equal(crypto.hmacSha256(administrator.sessionKey, signed), value.subarray(-PROOF_BYTES))) return false;
    return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0)) > clock.nowMs();
  };

  const isBasic = (text: string): boolean => {
    const credentials = Buffer.from(text, 'base64').toString('utf8');
    const colon = credentials.indexOf(':');
    return colon >= 0 && isAdministrator(credentials.slice(0, colon), credentials.slice(colon + 1));
  };

  return {
    issue(username, password) {
      if (!isAdministrator(username, password)) throw new AdminProblem('NOT_AUTHENTICATED', 'wrong user name or password');
      const signed = concatBytes(u64be(clock.nowMs() + AUTHORIZATION_MS), entropy.randomBytes(RANDOM_BYTES));
      return SCHEME + toBase64url(concatBytes(signed, crypto.hmacSha256(administrator.sessionKey, signed)));
    },
    require(header = '') {
      const allowed = header.startsWith(SCHEME) ? isIssued(header.slice(SCHEME.length)) : header.startsWith('Basic ') && isBasic(header.slice(6));
      if (!allowed) throw new AdminProblem('NOT_AUTHENTICATED', 'the Authorization header is missing, wrong or expired', CHALLENGE);
      return { username: administrator.username, role: 'administrator' };
    },
  };
}

import { type Clock, type CryptoProvider, concatBytes, type Entropy, lp, toBase64url, utf8 } from '@uemkit/protocol';
import {
  type AdministratorRecord,
  administratorByGuid,
  administratorByName,
  deleteAdministrator,
  listAdministrators,
  MAX_ADMINISTRATORS,
  putAdministrator,
} from '../state/administrators.ts';
import { randomUuid } from '../state/ids.ts';
import type { LabStore } from '../store/lab-store.ts';
import type { AdminRole } from './admin-role.ts';
import { AdminProblem } from './problem.ts';

/** The one time that the password of an administrator is told. */
export interface IssuedAdministrator {
  readonly administrator: AdministratorRecord;
  readonly password: string;
}

/** Who may administrate: the administrator that the lab was made with, and those who were added. */
export interface Administrators {
  all(): readonly AdministratorRecord[];
  /** @throws AdminProblem `ADMINISTRATOR_NOT_FOUND` */
  one(guid: string): AdministratorRecord;
  /** With these credentials; undefined: there is nobody. */
  authenticate(username: string, password: string): AdministratorRecord | undefined;
  byGuid(guid: string): AdministratorRecord | undefined;
  /** Adds one; the password is made here and told once. @throws AdminProblem `ADMINISTRATOR_EXISTS`, `TOO_MANY_ADMINISTRATORS` */
  create(wanted: { readonly username: string; readonly role: AdminRole }): Promise<IssuedAdministrator>;
  /** @throws AdminProblem `ADMINISTRATOR_NOT_FOUND`, `ADMINISTRATOR_REQUIRED` for the one that the lab was made with */
  delete(guid: string): Promise<void>;
}

/** Guid of the administrator that the lab was made with; its name and password are in the connection file. */
export const FIRST_ADMINISTRATOR: string = '00000000-0000-4000-8000-000000000000';

export function createAdministrators(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Name and password of the administrator that the lab was made with. */
  readonly first: { readonly username: string; readonly password: string };
}): Administrators {
  const { clock, crypto, entropy, store } = options;
  const withPassword = (password: string): Pick<AdministratorRecord, 'salt' | 'passwordHash'> => {
    const salt = entropy.randomBytes(16);
    return { salt, passwordHash: hashPassword(crypto, salt, password) };
  };
  const first: AdministratorRecord = {
    guid: FIRST_ADMINISTRATOR,
    username: options.first.username,
    role: 'administrator',
    createdAtMs: 0,
    ...withPassword(options.first.password),
  };
  const byName = (username: string): AdministratorRecord | undefined =>
    username === first.username ? first : store.read((view) => administratorByName(view, username));
  const byGuid = (guid: string): AdministratorRecord | undefined => (guid === first.guid ? first : store.read((view) => administratorByGuid(view, guid)));
  const notFound = (): AdminProblem => new AdminProblem('ADMINISTRATOR_NOT_FOUND', 'there is no such administrator');

  return {
    all: () => [first, ...store.read(listAdministrators)],
    one(guid) {
      const administrator = byGuid(guid);
      if (administrator === undefined) throw notFound();
      return administrator;
    },
    byGuid,
    authenticate(username, password) {
      const administrator = byName(username);
      // The same work for a name that there is not.
      const { salt, passwordHash } = administrator ?? first;
      return crypto.equal(hashPassword(crypto, salt, password), passwordHash) ? administrator : undefined;
    },
    async create({ username, role }) {
      const password = toBase64url(entropy.randomBytes(16));
      const administrator: AdministratorRecord = { guid: randomUuid(entropy), username, role, createdAtMs: clock.nowMs(), ...withPassword(password) };
      await store.transaction((tx) => {
        if (username === first.username || administratorByName(tx, username) !== undefined)
          throw new AdminProblem('ADMINISTRATOR_EXISTS', 'there is an administrator of this name already');
        if (listAdministrators(tx).length >= MAX_ADMINISTRATORS)
          throw new AdminProblem('TOO_MANY_ADMINISTRATORS', `there are ${MAX_ADMINISTRATORS} administrators already`);
        putAdministrator(tx, administrator);
      });
      return { administrator, password };
    },
    async delete(guid) {
      if (guid === first.guid) throw new AdminProblem('ADMINISTRATOR_REQUIRED', 'the administrator that the lab was made with stays');
      await store.transaction((tx) => {
        if (!deleteAdministrator(tx, guid)) throw notFound();
      });
    },
  };
}

/** Stored form of a password. */
function hashPassword(crypto: CryptoProvider, salt: Uint8Array, password: string): Uint8Array {
  return crypto.sha256(concatBytes(lp(utf8('uemkit/1 admin')), lp(salt), lp(utf8(password))));
}

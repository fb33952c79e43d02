import type { AdminRole } from '../admin/admin-role.ts';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { escapePart, type Table, table } from './table.ts';

/** Administrators beside the one that the lab was made with; more are refused. */
export const MAX_ADMINISTRATORS = 100;

/** Somebody who administrates, as stored: never the password itself. */
export interface AdministratorRecord {
  readonly guid: string;
  readonly username: string;
  readonly role: AdminRole;
  /** SHA-256 of salt and password; passwords are 128 random bits, so there is nothing to stretch. */
  readonly passwordHash: Uint8Array;
  readonly salt: Uint8Array;
  readonly createdAtMs: number;
}

interface GuidReference {
  readonly guid: string;
}

const administrators: Table<AdministratorRecord> = table('administrator');
const guidsByName: Table<GuidReference> = table('administrator-by-name');

/** Adds an administrator; the caller has looked whether the name is free. */
export function putAdministrator(tx: WriteView, administrator: AdministratorRecord): void {
  administrators.put(tx, administrator.guid, administrator);
  guidsByName.put(tx, escapePart(administrator.username), { guid: administrator.guid });
}

/** Forgets an administrator; values for the Authorization header end with it. False: there was none. */
export function deleteAdministrator(tx: WriteView, guid: string): boolean {
  const administrator = administrators.get(tx, guid);
  if (administrator === undefined) return false;
  administrators.delete(tx, guid);
  guidsByName.delete(tx, escapePart(administrator.username));
  return true;
}

export function administratorByGuid(view: ReadView, guid: string): AdministratorRecord | undefined {
  return administrators.get(view, guid);
}

/** Names are compared letter by letter. */
export function administratorByName(view: ReadView, username: string): AdministratorRecord | undefined {
  const reference = guidsByName.get(view, escapePart(username));
  return reference === undefined ? undefined : administrators.get(view, reference.guid);
}

/** All of them, in the order of their guids. */
export function listAdministrators(view: ReadView): readonly AdministratorRecord[] {
  return administrators.page(view, { limit: MAX_ADMINISTRATORS }).map((row) => row.record);
}

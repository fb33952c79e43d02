import { ProtocolError } from '@uemkit/protocol';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { escapePart, type Row, type Table, table } from './table.ts';

/** A person whose devices are managed (F1.1). */
export interface UserRecord {
  readonly guid: string;
  /** Canonical user id: what devices send and what is searched. */
  readonly userId: string;
  /** As the administrator wrote it. */
  readonly username: string;
  readonly displayName: string;
  readonly email?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  /** Activation profile; absent: the default one. */
  readonly profileId?: string | undefined;
  readonly createdAtMs: number;
}

interface GuidReference {
  readonly guid: string;
}

const users: Table<UserRecord> = table('user');
const guidsByUserId: Table<GuidReference> = table('user-by-name');

/** Adds a user. @throws ProtocolError `ERR_USAGE_STATE` when the user id is taken */
export function createUser(tx: WriteView, user: UserRecord): void {
  if (userByUserId(tx, user.userId) !== undefined) throw new ProtocolError('ERR_USAGE_STATE', 'there is a user of this name already');
  users.put(tx, user.guid, user);
  guidsByUserId.put(tx, escapePart(user.userId), { guid: user.guid });
}

/** Changes a user; the user id stays. */
export function updateUser(tx: WriteView, user: UserRecord): void {
  if (users.get(tx, user.guid)?.userId !== user.userId) throw new ProtocolError('ERR_USAGE_STATE', 'no such user, or another user id');
  users.put(tx, user.guid, user);
}

/** Forgets a user; false when there was none. Secrets and devices are the caller's business first. */
export function deleteUser(tx: WriteView, guid: string): boolean {
  const user = users.get(tx, guid);
  if (user === undefined) return false;
  users.delete(tx, guid);
  guidsByUserId.delete(tx, escapePart(user.userId));
  return true;
}

export function userByGuid(view: ReadView, guid: string): UserRecord | undefined {
  return users.get(view, guid);
}

/** The user with this canonical user id. */
export function userByUserId(view: ReadView, userId: string): UserRecord | undefined {
  const reference = guidsByUserId.get(view, escapePart(userId));
  return reference === undefined ? undefined : users.get(view, reference.guid);
}

/** Users in the order of their user ids, those that begin with `prefix`; row ids are cursors. */
export function listUsersByUserId(
  view: ReadView,
  query: { readonly prefix?: string; readonly after?: string; readonly limit: number },
): readonly Row<UserRecord>[] {
  const under = escapePart(query.prefix ?? '');
  const rows = guidsByUserId.page(view, { under, after: query.after, limit: query.limit });
  return rows.flatMap(({ id, record }) => {
    const user = users.get(view, record.guid);
    return user === undefined ? [] : [{ id, record: user }];
  });
}

import { type Clock, type CryptoProvider, canonicalUserId, type Entropy, isProtocolError, userIdHash } from '@uemkit/protocol';
import type { NocRegistrar } from '../links/noc-registrar.ts';
import type { Registrar } from '../links/registrar.ts';
import { listAccessKeys, withdrawAccessKey } from '../state/access-keys.ts';
import { deleteActivationRefusals, listActivationRefusals } from '../state/activation-refusals.ts';
import { type ActivationSecretRecord, deleteActivationSecret, listActivationSecrets } from '../state/activation-secrets.ts';
import { deleteAppInstances } from '../state/app-instances.ts';
import { deleteAssignmentsOf } from '../state/assignments.ts';
import { endDevice, endUnconfirmed } from '../state/device-lifecycle.ts';
import { deviceCountsOf, isLive, listDevicesOfUser } from '../state/devices.ts';
import { appendEvent } from '../state/events.ts';
import { randomUuid } from '../state/ids.ts';
import { groupsOf, removeFromUserGroup } from '../state/user-groups.ts';
import { createUser, deleteUser, listUsersByUserId, type UserRecord, userByGuid, userByUserId } from '../state/users.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import type { Administration, NewUser } from './administration.ts';
import { rowsOf } from './pages.ts';
import { AdminProblem } from './problem.ts';
import { requireProfile } from './require-profile.ts';

export interface UserAdministrationOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly registrar: Registrar;
  /** Tells the NOC that keys of a user who is deleted are of no use. */
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
}

export type UserAdministration = Pick<
  Administration,
  'createUser' | 'deleteUser' | 'user' | 'userByName' | 'users' | 'activationSecrets' | 'expireActivationSecrets' | 'changeSecretsInTurn' | 'activationRefusals'
>;

/** Devices of a user that are looked at before the user is deleted or its secrets expire; as many may be unconfirmed. */
const USER_DEVICES = 1_000;

/** Users and their activation secrets (F1.1). */
export function createUserAdministration(options: UserAdministrationOptions): UserAdministration {
  const { clock, crypto, entropy, store, registrar, noc } = options;
  const read = <R>(fn: (view: ReadView) => R): R => store.read(fn);

  // BOUNDED by the requests in work.
  const turns = new Map<string, Promise<void>>();

  const record = (user: NewUser): UserRecord => {
    const username = user.username.trim();
    const displayName = user.displayName ?? ([user.firstName, user.lastName].filter(Boolean).join(' ') || username);
    const { email, firstName, lastName, profileId } = user;
    return { guid: randomUuid(entropy), userId: canonical(username), username, displayName, email, firstName, lastName, profileId, createdAtMs: clock.nowMs() };
  };

  return {
    async createUser(wanted) {
      const user = record(wanted);
      await store.transaction((tx) => {
        requireProfile(tx, user.profileId);
        if (userByUserId(tx, user.userId) !== undefined) throw new AdminProblem('USER_EXISTS', 'there is a user of this name already');
        createUser(tx, user);
        appendEvent(tx, { timeMs: user.createdAtMs, type: 'USER_CREATED', userGuid: user.guid });
      });
      // F1.1: when the Infrastructure cannot be reached now, it is told later; the user exists all the same.
      registrar.add(userIdHash(crypto, user.userId));
      await registrar.flush();
      return user;
    },

    async deleteUser(guid) {
      const { userId, keyIds } = await store.transaction((tx) => {
        const user = requireUser(tx, guid);
        const devices = listDevicesOfUser(tx, guid, { limit: USER_DEVICES });
        if (deviceCountsOf(tx, guid).active > 0) throw new AdminProblem('USER_HAS_DEVICES', 'the user has devices; remove them first');
        // Nobody sees or removes a device that was never confirmed, so it must not keep its user either.
        for (const pending of devices.filter(isLive)) endDevice(tx, pending, { status: 'removed', reason: 'its user was deleted' }, clock.nowMs());
        for (const { kind, slot } of listActivationSecrets(tx, guid)) deleteActivationSecret(tx, guid, kind, slot);
        deleteActivationRefusals(tx, guid);
        deleteAppInstances(tx, guid);
        const keys = listAccessKeys(tx, guid);
        for (const key of keys) withdrawAccessKey(tx, key, { type: 'ACCESS_KEY_REVOKED', reason: 'its user was deleted' }, clock.nowMs());
        for (const groupId of groupsOf(tx, guid)) removeFromUserGroup(tx, groupId, guid);
        deleteAssignmentsOf(tx, { kind: 'user', id: guid });
        deleteUser(tx, guid);
        appendEvent(tx, { timeMs: clock.nowMs(), type: 'USER_DELETED', userGuid: guid });
        return { userId: user.userId, keyIds: keys.map(({ keyId }) => keyId) };
      });
      registrar.remove(userIdHash(crypto, userId));
      for (const keyId of keyIds) noc.tell(keyId);
      await Promise.all([registrar.flush(), noc.flush()]);
    },

    user: (guid) => store.read((view) => requireUser(view, guid)),
    userByName: (username) => store.read((view) => userByUserId(view, canonical(username))),
    *users() {
      for (const { record: user } of rowsOf(read, listUsersByUserId, (row) => row.id)) yield user;
    },
    activationSecrets: (guid): readonly ActivationSecretRecord[] => store.read((view) => listActivationSecrets(view, requireUser(view, guid).guid)),
    activationRefusals: (guid) => store.read((view) => listActivationRefusals(view, requireUser(view, guid).guid)),
    async expireActivationSecrets(guid, secretIds) {
      await store.transaction((tx) => {
        requireUser(tx, guid);
        const isMeant = (secretId: string): boolean => secretIds?.includes(secretId) ?? true;
        for (const { secretId, kind, slot } of listActivationSecrets(tx, guid)) if (isMeant(secretId)) deleteActivationSecret(tx, guid, kind, slot);
        endUnconfirmed(tx, guid, ({ secretId }) => isMeant(secretId), clock.nowMs());
      });
    },
    changeSecretsInTurn(guid, change) {
      const turn = (turns.get(guid) ?? Promise.resolve()).then(change, change);
      const settled = turn.then(
        () => {},
        () => {},
      );
      turns.set(guid, settled);
      void settled.then(() => turns.get(guid) === settled && turns.delete(guid));
      return turn;
    },
  };
}

function requireUser(view: ReadView, guid: string): UserRecord {
  const user = userByGuid(view, guid);
  if (user === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
  return user;
}

function canonical(username: string): string {
  try {
    return canonicalUserId(username);
  } catch (error) {
    if (isProtocolError(error)) throw new AdminProblem('INVALID_PROPERTY', `username: ${error.message}`);
    throw error;
  }
}

import { type CryptoProvider, type Entropy, keySchedule, ProtocolError, sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { withUnlockKey } from '../roles/uem/app-updates.ts';
import { type AppConsoleRecord, appConsoleOf, consoleDocument, putAppConsole } from '../state/app-consoles.ts';
import { type AppInstanceRecord, appInstanceById, listAppInstances } from '../state/app-instances.ts';
import { userByGuid } from '../state/users.ts';
import type { LabStore, ReadView, WriteView } from '../store/lab-store.ts';
import { carryOut, type PlannedChange } from './planned-change.ts';
import { AdminProblem } from './problem.ts';

/** Room for what administrators want of one app, so that it never keeps the rest of an update waiting. */
const MAX_CONSOLE_BYTES = 32_768;

/** An activated app of a user, as its administrators see it (F3.11, F5). */
export interface DynamicsApp {
  readonly app: AppInstanceRecord;
  /** Absent: nobody has wanted anything of it yet, and it has not asked. */
  readonly console: AppConsoleRecord | undefined;
  /** The app has said that it has done everything that administrators want of it. */
  readonly isCarriedOut: boolean;
}

/** What an administrator wants of one app: the documented commands for applications. */
export type DynamicsAppCommand =
  | { readonly type: 'LOCK_APPLICATION' | 'DELETE_APPLICATION' }
  | { readonly type: 'BLOCK_APPLICATION'; readonly title: string; readonly body: string; readonly actionId: string }
  | { readonly type: 'UNBLOCK_APPLICATION'; readonly actionId: string };

/** Activated apps of users: to lock, block and wipe them. The app hears of it when it asks the next time (docs/protocol/04, 4.9). */
export interface DynamicsAppAdministration {
  /** @throws AdminProblem `USER_NOT_FOUND` */
  dynamicsApps(guid: string): readonly DynamicsApp[];
  /** `instanceId` in hex. @throws AdminProblem `USER_NOT_FOUND`, `APPLICATION_NOT_FOUND` */
  dynamicsApp(guid: string, instanceId: string): DynamicsApp;
  /** @throws AdminProblem `USER_NOT_FOUND`, `APPLICATION_NOT_FOUND`, `LIMIT_REACHED` for too many blocks */
  commandDynamicsApp(guid: string, instanceId: string, command: DynamicsAppCommand): Promise<DynamicsApp>;
  /** The same in a transaction of the caller. */
  planDynamicsAppCommand(guid: string, instanceId: string, command: DynamicsAppCommand): PlannedChange<DynamicsApp>;
  /** The key that opens the app once, when it is locked: for its user, as people read it. @throws AdminProblem `USER_NOT_FOUND`, `APPLICATION_NOT_FOUND`, `UNLOCK_KEY_NOT_HELD` */
  unlockKeyOfDynamicsApp(guid: string, instanceId: string): Promise<string>;
  /** The same in a transaction of the caller. */
  planUnlockKey(guid: string, instanceId: string): PlannedChange<string>;
}

export interface DynamicsAppAdministrationOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
}

export function createDynamicsAppAdministration({ crypto, entropy, store }: DynamicsAppAdministrationOptions): DynamicsAppAdministration {
  const seen = (app: AppInstanceRecord, console: AppConsoleRecord | undefined): DynamicsApp => {
    const heard = console?.said?.report.console;
    const wanted = console && keySchedule.appDocumentHash(crypto, { name: 'console', content: consoleDocument(console) });
    return { app, console, isCarriedOut: wanted === undefined || (heard !== undefined && sameBytes(heard, wanted)) };
  };
  const planDynamicsAppCommand = (guid: string, instanceId: string, command: DynamicsAppCommand): PlannedChange<DynamicsApp> => ({
    make(tx) {
      const { app, console: before } = requireApp(tx, guid, instanceId);
      const after = commanded(withUnlockKey({ entropy }, before), command, entropy);
      putAppConsole(tx, instanceId, after);
      return seen(app, after);
    },
    durable() {},
  });
  const planUnlockKey = (guid: string, instanceId: string): PlannedChange<string> => ({
    make: (tx: WriteView) => {
      const { console: record } = requireApp(tx, guid, instanceId);
      // check: F5.5 a key that opens nothing is told nobody
      if (record?.isUnlockKeyHeld !== true) throw new AdminProblem('UNLOCK_KEY_NOT_HELD', 'the app has not taken an unlock key yet');
      return keySchedule.formatAccessKey(record.unlockKey.key);
    },
    durable() {},
  });
  return {
    dynamicsApps: (guid) =>
      store.read((view) => {
        requireUser(view, guid);
        return listAppInstances(view, guid).map((app) => seen(app, appConsoleOf(view, app.instanceId)));
      }),
    dynamicsApp: (guid, instanceId) =>
      store.read((view) => {
        const { app, console } = requireApp(view, guid, instanceId);
        return seen(app, console);
      }),
    planDynamicsAppCommand,
    commandDynamicsApp: (guid, instanceId, command) => carryOut(store, planDynamicsAppCommand(guid, instanceId, command)),
    planUnlockKey,
    unlockKeyOfDynamicsApp: (guid, instanceId) => carryOut(store, planUnlockKey(guid, instanceId)),
  };
}

const APP_COMMANDS = 'LOCK_APPLICATION, DELETE_APPLICATION, BLOCK_APPLICATION, UNBLOCK_APPLICATION';

/** What administrators want once they want this, too. The same once more changes nothing, but for a lock: the app may have been unlocked since. */
function commanded(record: AppConsoleRecord, command: DynamicsAppCommand, entropy: Entropy): AppConsoleRecord {
  switch (command.type) {
    case 'LOCK_APPLICATION':
      return { ...record, lockId: entropy.randomBytes(16) };
    case 'DELETE_APPLICATION':
      return { ...record, wipe: true };
    case 'UNBLOCK_APPLICATION':
      return { ...record, blocks: record.blocks.filter(({ id }) => id !== command.actionId) };
    case 'BLOCK_APPLICATION': {
      const { actionId: id, title, body: message } = command;
      const blocks = [...record.blocks.filter((block) => block.id !== id), { id, title, message }];
      return requireRoom({ ...record, blocks });
    }
    default:
      // REST checks it before; a test in plain JavaScript has no types.
      throw new AdminProblem('INVALID_PROPERTY', `type: ${String((command as { readonly type: unknown }).type)} is none of ${APP_COMMANDS}`);
  }
}

/** @throws AdminProblem `LIMIT_REACHED` */
function requireRoom(record: AppConsoleRecord): AppConsoleRecord {
  try {
    if (wire.encodeAppDocument({ name: 'console', content: consoleDocument(record) }).length <= MAX_CONSOLE_BYTES) return record;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new AdminProblem('LIMIT_REACHED', `an app has at most ${wire.LIMITS.appBlocks} blocks, of ${MAX_CONSOLE_BYTES} bytes together`);
}

function requireUser(view: ReadView, guid: string): void {
  if (userByGuid(view, guid) === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
}

function requireApp(view: ReadView, guid: string, instanceId: string): Omit<DynamicsApp, 'isCarriedOut'> {
  requireUser(view, guid);
  const app = appInstanceById(view, instanceId);
  if (app === undefined || app.userGuid !== guid) throw new AdminProblem('APPLICATION_NOT_FOUND', 'the user has no such activated app');
  return { app, console: appConsoleOf(view, instanceId) };
}

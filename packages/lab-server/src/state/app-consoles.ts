import type * as wire from '@uemkit/protocol/wire';
import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** What administrators want of one activated app, and what it has said of itself (docs/protocol/04, 4.9). */
export interface AppConsoleRecord {
  /** Oldest first. */
  readonly blocks: readonly wire.ConsoleBlock[];
  /** Secret. */
  readonly unlockKey: wire.AppUnlockKey;
  /** The app has said that this key opens its container. */
  readonly isUnlockKeyHeld: boolean;
  /** The last lock. */
  readonly lockId?: Uint8Array | undefined;
  readonly wipe: boolean;
  /** Absent: the app has not asked since it was activated. */
  readonly said?: AppSaid | undefined;
}

/** The last word of an app. */
export interface AppSaid {
  readonly atMs: number;
  readonly appVersion: string;
  readonly report: wire.AppReport;
  /** It had every document as it was then. */
  readonly isCurrent: boolean;
}

const consoles: Table<AppConsoleRecord> = table('app-console');

export function appConsoleOf(view: ReadView, instanceId: string): AppConsoleRecord | undefined {
  return consoles.get(view, instanceId);
}

export function putAppConsole(tx: WriteView, instanceId: string, record: AppConsoleRecord): void {
  consoles.put(tx, instanceId, record);
}

export function deleteAppConsole(tx: WriteView, instanceId: string): void {
  consoles.delete(tx, instanceId);
}

/** As it goes to the app. */
export function consoleDocument({ blocks, unlockKey, lockId, wipe }: AppConsoleRecord): wire.AppConsole {
  return { blocks, unlockKey, ...(lockId === undefined ? {} : { lockId }), wipe };
}

import { type CommandName, hasWorkSpace, type Kind } from './kinds.ts';

/** What a device must look like after commands: the facts that follow from the commands alone, as docs/commands.md says. */
export interface Expected {
  readonly locked: boolean;
  readonly hasPassword: boolean;
  readonly personalData: boolean;
  readonly lost: boolean;
  /** A newer version was downloaded or installed. */
  readonly newer: 'none' | 'downloaded' | 'installed';
  /** Data of managed apps were deleted. */
  readonly wiped: boolean;
  /** Undefined: there is none. */
  readonly workSpace: { readonly locked: boolean; readonly enabled: boolean; readonly hasPassword: boolean } | undefined;
  /** A delete command was carried out. */
  readonly left: boolean;
}

export interface Subjected {
  readonly kind: Kind;
  readonly hasPassword: boolean;
  readonly supervised: boolean;
}

/** A device that has been activated and told nothing yet. */
export function activated({ kind, hasPassword }: Subjected): Expected {
  const workSpace = hasWorkSpace(kind) ? { locked: false, enabled: true, hasPassword: false } : undefined;
  return { locked: false, hasPassword, personalData: true, lost: false, newer: 'none', wiped: false, workSpace, left: false };
}

const FAILED = 'failed' as const;
type Effect = (now: Expected, subjected: Subjected) => Expected | typeof FAILED;

const same: Effect = (now) => now;
const failing: Effect = () => FAILED;
/** Without a device password nothing locks; what lost mode has locked stays so. */
const lock: Effect = (now) => ({ ...now, locked: now.hasPassword || now.locked });
const withPassword: Effect = (now) => ({ ...now, locked: true, hasPassword: true });
const supervised =
  (effect: Effect): Effect =>
  (now, subjected) =>
    subjected.supervised ? effect(now, subjected) : FAILED;
const onWorkSpace =
  (change: Partial<NonNullable<Expected['workSpace']>>): Effect =>
  (now) =>
    now.workSpace === undefined ? FAILED : { ...now, workSpace: { ...now.workSpace, ...change } };

const EFFECTS: Readonly<Record<CommandName, Effect>> = {
  lock,
  lockWithPassword: withPassword,
  generatePassword: withPassword,
  unlock: (now) => ({ ...now, locked: false, hasPassword: false }),
  deleteWork: (now) => ({ ...withoutManagement(now), left: true }),
  deleteDevice: (now) => ({ ...withoutManagement(now), locked: false, hasPassword: false, personalData: false, left: true }),
  lost: supervised((now) => ({ ...now, locked: true, lost: true })),
  found: supervised((now) => (now.lost ? { ...now, locked: now.hasPassword, lost: false } : now)),
  download: supervised((now) => (now.newer === 'installed' ? FAILED : { ...now, newer: 'downloaded' })),
  install: supervised((now) => (now.newer === 'installed' ? FAILED : { ...now, newer: 'installed' })),
  installOlder: failing,
  wipe: (now) => ({ ...now, wiped: true }),
  lockWorkSpace: onWorkSpace({ locked: true, hasPassword: true }),
  resetWorkSpace: onWorkSpace({ locked: false, hasPassword: false }),
  disableWorkSpace: onWorkSpace({ enabled: false }),
  enableWorkSpace: onWorkSpace({ enabled: true }),
  // No Dynamics app has activated itself on the emulated devices.
  lockApp: failing,
  deleteApp: failing,
  attestApp: failing,
  blockApp: failing,
  unblockApp: failing,
  info: same,
  apps: same,
  logs: same,
};

/** One command on a device of the model: what it must look like then, and what the device must answer. */
export function carriedOut(now: Expected, command: CommandName, subjected: Subjected): { readonly now: Expected; readonly status: 'done' | 'failed' } {
  const next = EFFECTS[command](now, subjected);
  return next === FAILED ? { now, status: 'failed' } : { now: next, status: 'done' };
}

/** A device that is not managed any more: what the organisation had put on it is gone, and lost mode with it. */
export function withoutManagement(now: Expected): Expected {
  return { ...now, locked: now.lost ? now.hasPassword : now.locked, lost: false, workSpace: undefined };
}

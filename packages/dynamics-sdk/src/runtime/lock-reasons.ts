import type { ResultName } from './result-codes.ts';

/** A block with a text for the user. Only who made a block lifts it: the console's cannot be lifted on the device. */
export interface Block {
  readonly origin: 'app' | 'console' | 'policy';
  readonly id: string;
  readonly title: string;
  readonly message: string;
}

/** Why an app is locked; all of it has to go before it is authorized again. */
export interface LockReasons {
  readonly idle: boolean;
  readonly passwordChange: boolean;
  readonly remoteLock: boolean;
  readonly versionNotEntitled: boolean;
  /** Oldest first. */
  readonly blocks: readonly Block[];
}

export const NO_REASON: LockReasons = { idle: false, passwordChange: false, remoteLock: false, versionNotEntitled: false, blocks: [] };

/** Blocks of one origin; a newer one takes the place of the oldest. */
export const MAX_BLOCKS = 16;

export function isLocked({ idle, passwordChange, remoteLock, versionNotEntitled, blocks }: LockReasons): boolean {
  return idle || passwordChange || remoteLock || versionNotEntitled || blocks.length > 0;
}

/** The code that the app is told: what the user can do least about comes first. Of blocks the newest is shown. */
export function codeOf(reasons: LockReasons): ResultName {
  if (reasons.remoteLock) return 'GDErrorRemoteLockout';
  if (reasons.versionNotEntitled) return 'GDErrorAppVersionNotEntitled';
  if (reasons.blocks.length > 0) return 'GDErrorBlocked';
  if (reasons.passwordChange) return 'GDErrorPasswordChangeRequired';
  return reasons.idle ? 'GDErrorIdleLockout' : 'GDErrorNone';
}

/** With this block, as the newest. One with the same origin and id is replaced. */
export function withBlock(reasons: LockReasons, block: Block): LockReasons {
  const others = withoutBlock(reasons, block).blocks;
  // Of its own origin alone: an app could push the console's blocks out otherwise.
  const own = others.filter(({ origin }) => origin === block.origin);
  const oldest = own.length >= MAX_BLOCKS ? own[0] : undefined;
  return { ...reasons, blocks: [...others.filter((other) => other !== oldest), block] };
}

/** With exactly these blocks of the console. Those that stood already keep their place; new ones come last, in their order. */
export function withConsoleBlocks(reasons: LockReasons, wanted: readonly Omit<Block, 'origin'>[]): LockReasons {
  const isWanted = (block: Block): boolean => wanted.some(({ id, title, message }) => id === block.id && title === block.title && message === block.message);
  const kept = reasons.blocks.filter((block) => block.origin !== 'console' || isWanted(block));
  const isKept = (id: string): boolean => kept.some((block) => block.origin === 'console' && block.id === id);
  const added = wanted.filter(({ id }) => !isKept(id)).map(({ id, title, message }): Block => ({ origin: 'console', id, title, message }));
  return { ...reasons, blocks: [...kept, ...added] };
}

export function withoutBlock(reasons: LockReasons, { origin, id }: Pick<Block, 'origin' | 'id'>): LockReasons {
  return { ...reasons, blocks: reasons.blocks.filter((block) => block.origin !== origin || block.id !== id) };
}

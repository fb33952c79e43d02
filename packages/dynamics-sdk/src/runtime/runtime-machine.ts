import { StateCell, type TransitionListener } from '@uemkit/protocol';
import { type Block, codeOf, isLocked, type LockReasons, NO_REASON, withBlock, withConsoleBlocks, withoutBlock } from './lock-reasons.ts';
import type { ResultName } from './result-codes.ts';
import { type AuthorizationState, RUNTIME_TRANSITIONS } from './transitions.ts';

/** Rules of the runtime that policy gives. */
export interface RuntimePolicy {
  /** Idle lock after this time without use; absent: never. */
  readonly idleLockMs?: number | undefined;
  /** What too many wrong passwords do. */
  readonly whenExhausted: 'lock' | 'wipe';
  /** What so many days without contact to UEM do; absent: nothing. */
  readonly noContact?: { readonly days: number; readonly action: 'block' | 'wipe' } | undefined;
}

/** What survives a restart. Idle does not: an app that starts is locked by its password anyway. */
export interface RuntimeRecord {
  readonly reasons: LockReasons;
  /** `wiping`: decided, and the container may still be there. */
  readonly wiped: 'no' | 'wiping' | 'done';
  readonly wipedBy: 'GDErrorWiped' | 'GDErrorAppDenied';
  /** Wall clock of the last contact to UEM; 0: none yet. */
  readonly contactMs: number;
  /** The latest wall clock that was seen: a clock that is set back does not bring days without contact back. */
  readonly latestMs: number;
}

export type RuntimeInput =
  | { readonly type: 'authorize'; readonly outcome: 'authorized' }
  /** A stage of `authorize` failed in a way that says nothing about the right to use the app, for example the network. */
  | { readonly type: 'authorize'; readonly outcome: 'failed'; readonly code: ResultName }
  | { readonly type: 'entitlement'; readonly verdict: 'entitled' | 'other-version' | 'none' }
  /** The user did something. */
  | { readonly type: 'activity' }
  | { readonly type: 'timer' }
  | { readonly type: 'password'; readonly outcome: 'right' | 'exhausted' | 'expired' | 'changed' }
  /** The unlock key was used, and a new password set. */
  | { readonly type: 'recovered' }
  | { readonly type: 'remote-lock' }
  | { readonly type: 'block'; readonly block: Block }
  | { readonly type: 'unblock'; readonly origin: Block['origin']; readonly id: string }
  /** Every block of the console, as it stands now. */
  | { readonly type: 'console-blocks'; readonly blocks: readonly Omit<Block, 'origin'>[] }
  | { readonly type: 'contact' }
  | { readonly type: 'policy'; readonly policy: RuntimePolicy }
  | { readonly type: 'wipe' }
  | { readonly type: 'container-gone' }
  | { readonly type: 'begin-anew' };

/** In this order; `persist` comes before what depends on it. */
export type RuntimeEffect =
  | { readonly type: 'persist'; readonly record: RuntimeRecord }
  /** Keys leave the memory. */
  | { readonly type: 'close-container' }
  /** No password opens any more. */
  | { readonly type: 'revoke-password' }
  /** Until it has succeeded; then `container-gone` is the next input. */
  | { readonly type: 'wipe-container' }
  /** One timer; an earlier one is replaced. Undefined: none. */
  | { readonly type: 'arm-timer'; readonly atMs: number | undefined }
  | { readonly type: 'emit'; readonly state: AuthorizationState; readonly code: ResultName; readonly block?: Block | undefined };

export const NEW_RUNTIME_RECORD: RuntimeRecord = { reasons: NO_REASON, wiped: 'no', wipedBy: 'GDErrorWiped', contactMs: 0, latestMs: 0 };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Block that policy makes after days without contact. A contact lifts it. */
const NO_CONTACT: Block = { origin: 'policy', id: 'no-contact', title: 'No contact', message: 'This app has not reached its organisation for too long.' };

/**
 * States of the runtime: synchronous, time comes as a number. A network failure is no input that locks or wipes; only the days without contact are, by policy.
 */
export class RuntimeMachine {
  readonly #cell: StateCell<AuthorizationState>;
  #policy: RuntimePolicy;
  #record: RuntimeRecord;
  #activeMs = 0;

  constructor(policy: RuntimePolicy, record: RuntimeRecord = NEW_RUNTIME_RECORD, onTransition?: TransitionListener) {
    this.#policy = policy;
    this.#record = record;
    this.#cell = new StateCell(RUNTIME_TRANSITIONS, 'runtime', record.wiped === 'no' ? 'notAuthorized' : 'wiped', onTransition);
  }

  get state(): AuthorizationState {
    return this.#cell.state;
  }

  /** Only the unlock key opens it. */
  get isRemotelyLocked(): boolean {
    return this.#record.reasons.remoteLock;
  }

  /** What a start has to do first: end a wipe that a crash has stopped. */
  begin(): readonly RuntimeEffect[] {
    return this.#record.wiped === 'wiping' ? [{ type: 'wipe-container' }] : [];
  }

  handle(input: RuntimeInput, wallMs: number): readonly RuntimeEffect[] {
    // A clock that was set back stands still.
    const nowMs = Math.max(wallMs, this.#record.latestMs);
    if (this.state === 'wiped') return this.#handleWiped(input, nowMs);
    const before = this.#record;
    if (input.type === 'policy') this.#policy = input.policy;
    if (input.type === 'activity') this.#activeMs = nowMs;
    const wipe = this.#wipeFor(input, nowMs);
    if (wipe !== undefined) return this.#wipe(wipe, nowMs);
    if (input.type === 'authorize' && this.state === 'notAuthorized') return this.#authorize(input, nowMs);
    const contactMs = input.type === 'contact' ? nowMs : before.contactMs;
    return this.#relock({ ...before, contactMs, latestMs: nowMs, reasons: this.#reasonsAfter(input, { ...before, contactMs }, nowMs) }, input);
  }

  #authorize(input: Extract<RuntimeInput, { readonly type: 'authorize' }>, nowMs: number): readonly RuntimeEffect[] {
    if (input.outcome === 'failed') {
      this.#cell.take('stage failed');
      return [{ type: 'emit', state: 'notAuthorized', code: input.code }];
    }
    this.#activeMs = nowMs;
    const record = { ...this.#record, latestMs: nowMs };
    this.#record = record;
    const locked = isLocked(record.reasons);
    this.#cell.take(locked ? 'authorized, reasons to lock' : 'authorized, no reason to lock');
    return [{ type: 'persist', record }, this.#timer(), this.#said()];
  }

  /** Adds or lifts reasons, and says so when the state, or what is shown, is another. */
  #relock(record: RuntimeRecord, input: RuntimeInput): readonly RuntimeEffect[] {
    const shownBefore = this.#said();
    const [was, is] = [isLocked(this.#record.reasons), isLocked(record.reasons)];
    const effects: RuntimeEffect[] = [];
    const durable = durableOf(record);
    if (JSON.stringify(durable) !== JSON.stringify(durableOf(this.#record))) effects.push({ type: 'persist', record: durable });
    this.#record = record;
    if (this.state === 'authorized' && is) {
      this.#cell.take('reason to lock');
    } else if (this.state === 'locked' && was && !is) {
      this.#cell.take('last reason lifted');
    } else {
      this.#cell.take('reason added or lifted');
    }
    const exhausted = input.type === 'password' && input.outcome === 'exhausted';
    if (input.type === 'remote-lock' || exhausted) effects.push({ type: 'revoke-password' });
    // Otherwise a locked app goes on using storage and network, as documented; only its face is hidden.
    if (input.type === 'remote-lock') effects.push({ type: 'close-container' });
    effects.push(this.#timer());
    const said = this.#said();
    if (JSON.stringify(said) !== JSON.stringify(shownBefore)) effects.push(said);
    return effects;
  }

  #reasonsAfter(input: RuntimeInput, record: RuntimeRecord, nowMs: number): LockReasons {
    const { reasons } = record;
    const overdue = this.#overdue(record, nowMs) ? withBlock(reasons, NO_CONTACT) : withoutBlock(reasons, NO_CONTACT);
    switch (input.type) {
      case 'timer':
        return { ...overdue, idle: reasons.idle || (this.state === 'authorized' && this.#idleAtMs() !== undefined && nowMs >= (this.#idleAtMs() as number)) };
      case 'contact':
      case 'policy':
        return overdue;
      case 'entitlement':
        return { ...reasons, versionNotEntitled: input.verdict === 'other-version' };
      case 'password':
        if (input.outcome === 'exhausted') return { ...reasons, remoteLock: true };
        if (input.outcome === 'expired') return { ...reasons, passwordChange: true };
        this.#activeMs = nowMs;
        return { ...reasons, idle: false, passwordChange: input.outcome === 'changed' ? false : reasons.passwordChange };
      case 'recovered':
        this.#activeMs = nowMs;
        return { ...reasons, idle: false, remoteLock: false, passwordChange: false };
      case 'remote-lock':
        return { ...reasons, remoteLock: true };
      case 'block':
        return withBlock(reasons, input.block);
      case 'unblock':
        return withoutBlock(reasons, input);
      case 'console-blocks':
        return withConsoleBlocks(reasons, input.blocks);
      default:
        return reasons;
    }
  }

  #wipeFor(input: RuntimeInput, nowMs: number): string | undefined {
    if (input.type === 'wipe') return 'wipe command, or device deleted';
    if (input.type === 'entitlement' && input.verdict === 'none') return 'no version entitled';
    if (input.type === 'password' && input.outcome === 'exhausted' && this.#policy.whenExhausted === 'wipe') return 'wipe by policy';
    const due = input.type === 'timer' || input.type === 'policy';
    return due && this.#policy.noContact?.action === 'wipe' && this.#overdue(this.#record, nowMs) ? 'wipe by policy' : undefined;
  }

  #wipe(row: string, nowMs: number): readonly RuntimeEffect[] {
    this.#cell.take(row);
    const wipedBy = row === 'no version entitled' ? 'GDErrorAppDenied' : 'GDErrorWiped';
    const record = { ...NEW_RUNTIME_RECORD, wiped: 'wiping', wipedBy, latestMs: nowMs } as const;
    this.#record = record;
    return [{ type: 'persist', record }, { type: 'wipe-container' }, { type: 'arm-timer', atMs: undefined }, this.#said()];
  }

  #handleWiped(input: RuntimeInput, nowMs: number): readonly RuntimeEffect[] {
    if (input.type === 'container-gone') {
      this.#cell.take('container is gone');
      const record = { ...this.#record, wiped: 'done', latestMs: nowMs } as const;
      this.#record = record;
      return [{ type: 'persist', record }];
    }
    // A new activation waits until nothing of the old one is left.
    if (input.type !== 'begin-anew' || this.#record.wiped !== 'done') return [];
    this.#cell.take('begun anew');
    this.#record = { ...NEW_RUNTIME_RECORD, latestMs: nowMs };
    return [{ type: 'persist', record: this.#record }, this.#said()];
  }

  #overdue({ contactMs }: RuntimeRecord, nowMs: number): boolean {
    const { noContact } = this.#policy;
    return noContact !== undefined && contactMs > 0 && nowMs - contactMs > noContact.days * DAY_MS;
  }

  #idleAtMs(): number | undefined {
    const { idleLockMs } = this.#policy;
    return idleLockMs === undefined ? undefined : this.#activeMs + idleLockMs;
  }

  #timer(): RuntimeEffect {
    const { noContact } = this.#policy;
    const { contactMs } = this.#record;
    const idle = this.state === 'authorized' ? this.#idleAtMs() : undefined;
    const contact = noContact !== undefined && contactMs > 0 ? contactMs + noContact.days * DAY_MS + 1 : undefined;
    const { latestMs } = this.#record;
    // Policy may have made the time without use too long at once; days without contact are looked at with each policy.
    const due = [idle === undefined ? undefined : Math.max(idle, latestMs), contact !== undefined && contact > latestMs ? contact : undefined].filter(
      (at) => at !== undefined,
    );
    return { type: 'arm-timer', atMs: due.length === 0 ? undefined : Math.min(...due) };
  }

  #said(): Extract<RuntimeEffect, { readonly type: 'emit' }> {
    if (this.state === 'wiped') return { type: 'emit', state: 'wiped', code: this.#record.wipedBy };
    if (this.state !== 'locked') return { type: 'emit', state: this.state, code: 'GDErrorNone' };
    const code = codeOf(this.#record.reasons);
    const block = code === 'GDErrorBlocked' ? this.#record.reasons.blocks.at(-1) : undefined;
    return { type: 'emit', state: 'locked', code, ...(block === undefined ? {} : { block }) };
  }
}

/** What is written: never idle, and the time by the hour, since use alone would write all the time. */
function durableOf(record: RuntimeRecord): RuntimeRecord {
  return { ...record, latestMs: record.latestMs - (record.latestMs % HOUR_MS), reasons: { ...record.reasons, idle: false } };
}

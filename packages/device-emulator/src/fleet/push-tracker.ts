import type * as wire from '@uemkit/protocol/wire';

/** A wake-up that was passed on and has not led to idle yet. */
interface ServedWakeUp {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** What a poll that reached idle made good. */
export interface PushesSettled {
  /** Ages of the wake-ups that it served: since UEM sent them, and since they arrived. */
  readonly served: readonly { readonly sinceSentMs: number; readonly sinceReceivedMs: number }[];
  /** For how long each recovered wake-up had been lost. */
  readonly recoveredAfterMs: readonly number[];
}

/** Wake-ups of one device that are remembered; more than that at once are counted in one. */
const MAX_PENDING = 64;

/**
 * Follows the wake-ups of one device (F5.2), to prove that one which was lost is made up for by the regular poll.
 *
 * A device that loses a wake-up is taken to be asleep: it loses those that follow, too, until it next asks UEM of its own accord. So what recovers it is a
 * poll that no push caused.
 */
export class PushTracker {
  // BOUNDED by MAX_PENDING each.
  #received: ServedWakeUp[] = [];
  #lostAtMs: number[] = [];
  #asleep = false;
  /** How many of the lost ones were lost when the poll under way began. */
  #lostBefore = 0;

  /** The device does not hear its notification service. */
  get asleep(): boolean {
    return this.#asleep;
  }

  /** Wake-ups that were lost and are not made up for. */
  get lost(): number {
    return this.#lostAtMs.length;
  }

  received(sentAtMs: number, nowMs: number): void {
    if (this.#received.length < MAX_PENDING) this.#received.push({ sentAtMs, receivedAtMs: nowMs });
  }

  dropped(nowMs: number): void {
    this.#asleep = true;
    this.#lostAtMs.push(nowMs);
  }

  /** A poll begins (F5.3). What is lost from now on is none of its business; a wake-up that arrives is, as the client goes on asking until idle. */
  pollBegan(reason: wire.PollReason): void {
    if (reason !== 'wakeUp') this.#asleep = false;
    this.#lostBefore = reason === 'wakeUp' ? 0 : this.#lostAtMs.length;
  }

  /** The poll ended with idle (F5.6). */
  idle(nowMs: number): PushesSettled {
    const served = this.#received.splice(0);
    const recovered = this.#lostAtMs.splice(0, this.#lostBefore);
    this.#lostBefore = 0;
    return {
      served: served.map((wakeUp) => ({ sinceSentMs: nowMs - wakeUp.sentAtMs, sinceReceivedMs: nowMs - wakeUp.receivedAtMs })),
      recoveredAfterMs: recovered.map((lostAtMs) => nowMs - lostAtMs),
    };
  }

  /** The device is not managed any more, so nothing is pending for it: a poll brought the command that ended it. Gives the ages of what was lost. */
  ended(nowMs: number): readonly number[] {
    this.#received = [];
    return this.#lostAtMs.splice(0).map((lostAtMs) => nowMs - lostAtMs);
  }

  /** The poll failed; what was pending stays so. */
  pollFailed(): void {
    this.#lostBefore = 0;
  }
}

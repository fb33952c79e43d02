/** Platform ids that are remembered; more at once means that whoever asks is let in. */
const MAX_APPS = 256;

/** How often an app may ask another one for a key (F3.3). */
export interface RequestLimits {
  /** Runs of one app that count at a time. */
  readonly requestsPerApp: number;
  /** How long a run counts, milliseconds. */
  readonly requestWindowMs: number;
  /** How long one counts that never reached UEM, milliseconds from its beginning. */
  readonly unreachedWindowMs: number;
}

/** One run that counts. */
export interface CountedRequest {
  /**
   * UEM has heard nothing of it, and not because of the app: it counts for `unreachedWindowMs` only. Not nothing, so that an app that sees that UEM is away cannot ask without
   * end (a UEM Client signs for each run, and a sibling asks its user).
   */
  unreached(): void;
}

/** Counts what each app asks for: so many runs in any window, of at most 256 apps (docs/protocol/04-access-key.md, 4.2). */
export class RequestBudget {
  readonly #limits: RequestLimits;
  /** Ends of the windows of the runs by platform id. BOUNDED by MAX_APPS and the requests of an app. */
  readonly #untilMs = new Map<string, readonly { ms: number }[]>();

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Counts one run from `nowMs` on (monotonic). @returns undefined when it is one too many */
  take(platformId: string, nowMs: number): CountedRequest | undefined {
    const { requestsPerApp, requestWindowMs, unreachedWindowMs } = this.#limits;
    const counted = this.#counted(platformId, nowMs);
    // check: F3.3 requests of an app in a window
    if (counted.length >= requestsPerApp) return undefined;
    // check: F3.3 apps that are remembered
    if (!this.#untilMs.has(platformId) && this.#untilMs.size >= MAX_APPS && !this.#makeRoom(nowMs)) return undefined;
    const until = { ms: nowMs + requestWindowMs };
    this.#untilMs.set(platformId, [...counted, until]);
    return {
      unreached() {
        until.ms = Math.min(until.ms, nowMs + unreachedWindowMs);
      },
    };
  }

  #counted(platformId: string, nowMs: number): readonly { ms: number }[] {
    return (this.#untilMs.get(platformId) ?? []).filter(({ ms }) => ms > nowMs);
  }

  #makeRoom(nowMs: number): boolean {
    for (const platformId of this.#untilMs.keys()) if (this.#counted(platformId, nowMs).length === 0) this.#untilMs.delete(platformId);
    return this.#untilMs.size < MAX_APPS;
  }
}

/** Platform ids that are remembered; more at once means that the policy admits whatever comes. */
const MAX_APPS = 256;

/** How often each app may ask: so many times in any window. */
export class RequestBudget {
  readonly #requests: number;
  readonly #windowMs: number;
  /** Times of the last requests by platform id, oldest first; bounded by `MAX_APPS` and the requests of a window. */
  readonly #times: Map<string, readonly number[]> = new Map();

  constructor(requests: number, windowMs: number) {
    this.#requests = requests;
    this.#windowMs = windowMs;
  }

  /** Counts one request; false: it is one too many. */
  take(platformId: string, nowMs: number): boolean {
    const recent = this.#recent(platformId, nowMs);
    // check: F3.3 requests of an app in a window
    if (recent.length >= this.#requests) return false;
    // check: F3.3 apps that are remembered
    if (!this.#times.has(platformId) && this.#times.size >= MAX_APPS && !this.#makeRoom(nowMs)) return false;
    this.#times.set(platformId, [...recent, nowMs]);
    return true;
  }

  #recent(platformId: string, nowMs: number): readonly number[] {
    return (this.#times.get(platformId) ?? []).filter((timeMs) => nowMs - timeMs < this.#windowMs);
  }

  #makeRoom(nowMs: number): boolean {
    for (const platformId of this.#times.keys()) if (this.#recent(platformId, nowMs).length === 0) this.#times.delete(platformId);
    return this.#times.size < MAX_APPS;
  }
}

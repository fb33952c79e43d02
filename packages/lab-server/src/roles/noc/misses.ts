/**
 * Wrong access keys of one source in ten minutes; then it has to wait. 75 random bits cannot be guessed: this bounds the work of the NOC, and many apps
 * may stand behind one address.
 */
export const MAX_MISSES_PER_SOURCE = 1_000;
/** After this time it may try as often again. */
const REST_MS = 600_000;
/** Sources that are remembered; who missed longest ago is forgotten. */
export const MAX_MISSING_SOURCES = 16_384;

/** Counts wrong access keys by source: a miss charges nobody else (docs/protocol/04, 4.4). */
export interface Misses {
  /** True: this source has missed too often. */
  rests(source: string, nowMs: number): boolean;
  add(source: string, nowMs: number): void;
}

export function createMisses(): Misses {
  // BOUNDED by MAX_MISSING_SOURCES.
  const sources = new Map<string, { readonly count: number; readonly sinceMs: number }>();
  const current = (source: string, nowMs: number): { readonly count: number; readonly sinceMs: number } | undefined => {
    const known = sources.get(source);
    // A clock that was set back must not keep anybody out for longer.
    return known !== undefined && Math.abs(nowMs - known.sinceMs) < REST_MS ? known : undefined;
  };
  return {
    rests: (source, nowMs) => (current(source, nowMs)?.count ?? 0) >= MAX_MISSES_PER_SOURCE,
    add(source, nowMs) {
      const { count, sinceMs } = current(source, nowMs) ?? { count: 0, sinceMs: nowMs };
      sources.delete(source);
      sources.set(source, { count: count + 1, sinceMs });
      if (sources.size > MAX_MISSING_SOURCES) sources.delete(sources.keys().next().value as string);
    },
  };
}

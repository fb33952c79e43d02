import * as wire from '@uemkit/protocol/wire';

/** How often a secret may still be guessed. */
export interface TryBudget {
  readonly left: number;
  /** When `left` was right; tries come back from then on. */
  readonly countedAtMs: number;
  /** Tries taken and not given back, in the life of the secret. */
  readonly charges: number;
}

/** Rules of one kind of secret (crypto design 14.8). */
export interface TryRules {
  readonly capacity: number;
  readonly refillEveryMs: number;
  /** Then the secret is dead until an administrator resets it. */
  readonly maxCharges: number;
}

const { activationTries, activationRefillMs, activationCharges } = wire.LIMITS;

export const TRY_RULES: Readonly<Record<wire.SecretKind, TryRules>> = {
  password: { capacity: activationTries, refillEveryMs: activationRefillMs, maxCharges: activationCharges },
  // 128 random bits cannot be guessed: this bounds the work of the server, not guesses, so it never dies. A try is out from A4 to A5, so the
  // capacity is also the number of devices that may be activated with one secret at a time.
  qr: { capacity: 1_000, refillEveryMs: 100, maxCharges: Number.MAX_SAFE_INTEGER },
};

/** A full budget, as new or after an administrator's reset. */
export function fullBudget(rules: TryRules, nowMs: number): TryBudget {
  return { left: rules.capacity, countedAtMs: nowMs, charges: 0 };
}

/** The budget with the tries that came back by `nowMs`. A clock that went back gives none and takes none. */
export function refilled(budget: TryBudget, rules: TryRules, nowMs: number): TryBudget {
  if (budget.left >= rules.capacity) return { ...budget, left: rules.capacity, countedAtMs: Math.max(nowMs, budget.countedAtMs) };
  const back = Math.floor((nowMs - budget.countedAtMs) / rules.refillEveryMs);
  if (back <= 0) return budget;
  const left = Math.min(rules.capacity, budget.left + back);
  return { ...budget, left, countedAtMs: left === rules.capacity ? nowMs : budget.countedAtMs + back * rules.refillEveryMs };
}

/** One try taken, or undefined when the secret rests or is dead. */
export function charged(budget: TryBudget, rules: TryRules, nowMs: number): TryBudget | undefined {
  const now = refilled(budget, rules, nowMs);
  if (now.left === 0 || now.charges >= rules.maxCharges) return undefined;
  return { ...now, left: now.left - 1, charges: now.charges + 1 };
}

/** One try given back after a right proof; never over the capacity. */
export function refunded(budget: TryBudget, rules: TryRules): TryBudget {
  return { ...budget, left: Math.min(rules.capacity, budget.left + 1), charges: Math.max(0, budget.charges - 1) };
}

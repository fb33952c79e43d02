import type { WireDocument } from '@uemkit/protocol/wire';
import { DEFAULT_PASSWORD_POLICY, type PasswordPolicy } from '../password/policy.ts';
import type { RuntimePolicy } from '../runtime/runtime-machine.ts';

const MINUTE_MS = 60_000;
/** Bounds of the time between two questions to UEM, minutes. */
const UPDATE_MINUTES = { least: 5, most: 1_440, default: 60 } as const;

/** What the policy document means to the runtime. */
export interface Rules {
  readonly runtime: RuntimePolicy;
  readonly password: PasswordPolicy;
  /** Time between two questions to UEM (F5.3), before jitter. */
  readonly updateIntervalMs: number;
}

/**
 * Rules out of the policy of an app (F3.11), entry `dynamics`: `idleLockMinutes`, `noContactDays` with `noContactAction` (`block`, `wipe`), `passwordMinLength`,
 * `passwordMaxTries`, `whenExhausted` (`lock`, `wipe`), `passwordHistory`, `passwordMaxAgeDays`, `updateIntervalMinutes`. What is missing, or is no value for it, has the default.
 */
export function rulesOf(policy: WireDocument): Rules {
  const { dynamics } = policy as { readonly dynamics?: Readonly<Record<string, unknown>> };
  const number = (name: string, most: number): number | undefined => {
    const value = dynamics?.[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most ? value : undefined;
  };
  const idleMinutes = number('idleLockMinutes', 1_440);
  const days = number('noContactDays', 3_650);
  const updateMinutes = number('updateIntervalMinutes', UPDATE_MINUTES.most) ?? UPDATE_MINUTES.default;
  const whenExhausted = dynamics?.whenExhausted === 'wipe' ? 'wipe' : DEFAULT_PASSWORD_POLICY.whenExhausted;
  return {
    runtime: {
      idleLockMs: idleMinutes === undefined ? undefined : idleMinutes * MINUTE_MS,
      whenExhausted,
      noContact: days === undefined ? undefined : { days, action: dynamics?.noContactAction === 'wipe' ? 'wipe' : 'block' },
    },
    password: {
      ...DEFAULT_PASSWORD_POLICY,
      minLength: number('passwordMinLength', 64) ?? DEFAULT_PASSWORD_POLICY.minLength,
      maxTries: number('passwordMaxTries', 100) ?? DEFAULT_PASSWORD_POLICY.maxTries,
      whenExhausted,
      history: number('passwordHistory', 20) ?? DEFAULT_PASSWORD_POLICY.history,
      maxAgeDays: number('passwordMaxAgeDays', 3_650),
    },
    updateIntervalMs: Math.max(updateMinutes, UPDATE_MINUTES.least) * MINUTE_MS,
  };
}

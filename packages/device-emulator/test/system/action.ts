/** One thing that happens to the whole system. Devices are named by number and taken modulo those that there are, so that a list stays meaningful when parts of it are left out. */
export type Action =
  | { readonly type: 'enrol'; readonly secret: 'qr' | 'password' }
  | { readonly type: 'command'; readonly device: number; readonly command: string }
  | { readonly type: 'cancel'; readonly device: number }
  | { readonly type: 'remove'; readonly device: number }
  | { readonly type: 'policy'; readonly minimumLength: number }
  | { readonly type: 'wakeUps'; readonly kind: 'drop' | 'duplicate' | 'delay'; readonly count: number }
  | {
      readonly type: 'requests';
      readonly kind: 'drop' | 'dropAnswer' | 'duplicate' | 'delay' | 'refuse' | 'status' | 'restart';
      readonly service: string;
      readonly count: number;
    }
  | { readonly type: 'kill'; readonly device: number }
  | { readonly type: 'killAtCommit'; readonly device: number; readonly commits: number; readonly point: 'before' | 'after' }
  | { readonly type: 'boot'; readonly device: number }
  | { readonly type: 'restart'; readonly role: 'infrastructure' | 'uem' | 'notification' }
  | { readonly type: 'killServer' }
  | { readonly type: 'jump'; readonly byMs: number }
  | { readonly type: 'turns'; readonly count: number }
  | { readonly type: 'pass'; readonly durationMs: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Certificates begin a day early: wall clocks stay within that of the beginning. */
const FARTHEST_JUMP_MS = 11 * HOUR_MS;

const COMMANDS: readonly (readonly [weight: number, type: string])[] = [
  [6, 'LOCK_DEVICE'],
  [5, 'UNLOCK_DEVICE'],
  [6, 'REQUEST_DEVICE_INFO'],
  [6, 'REQUEST_INSTALLED_APPS'],
  [1, 'DELETE_WORK_SPACE_DATA'],
  [1, 'DELETE_DEVICE_DATA'],
];

/** mulberry32: numbers from 0 to 1, fixed by the seed. */
export function numbersOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The actions of a seed. */
export function actionsOf(seed: number): readonly Action[] {
  const next = numbersOf(seed);
  const below = (bound: number): number => Math.floor(next() * bound);
  const among = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
  const weighted = <T>(choices: readonly (readonly [number, T])[]): T => {
    let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  };
  const device = (): number => below(4);
  let jumpedMs = 0;
  const jump = (): Action => {
    const target = Math.round((next() * 2 - 1) * FARTHEST_JUMP_MS);
    const byMs = target - jumpedMs;
    jumpedMs = target;
    return { type: 'jump', byMs };
  };
  const makers: readonly (readonly [number, () => Action])[] = [
    [4, () => ({ type: 'enrol', secret: among(['qr', 'qr', 'password'] as const) })],
    [14, () => ({ type: 'command', device: device(), command: weighted(COMMANDS) })],
    [2, () => ({ type: 'cancel', device: device() })],
    [1, () => ({ type: 'remove', device: device() })],
    [2, () => ({ type: 'policy', minimumLength: 1 + below(60) })],
    [3, () => ({ type: 'wakeUps', kind: among(['drop', 'duplicate', 'delay'] as const), count: 1 + below(3) })],
    [
      4,
      () => ({
        type: 'requests',
        kind: among(['drop', 'dropAnswer', 'duplicate', 'delay', 'refuse', 'status', 'restart'] as const),
        service: among(['device', 'device', 'device', 'activation', 'activation', 'discovery', 'provider', 'notifications']),
        count: 1 + below(3),
      }),
    ],
    [5, () => ({ type: 'kill', device: device() })],
    [6, () => ({ type: 'killAtCommit', device: device(), commits: below(6), point: among(['before', 'after'] as const) })],
    [7, () => ({ type: 'boot', device: device() })],
    [2, () => ({ type: 'restart', role: among(['infrastructure', 'uem', 'notification'] as const) })],
    [2, () => ({ type: 'killServer' })],
    [2, jump],
    [16, () => ({ type: 'turns', count: 1 + below(40) })],
    [
      7,
      () => ({
        type: 'pass',
        durationMs: weighted([[3, 1_000 + below(30_000)] as const, [2, below(20) * MINUTE_MS] as const, [1, below(6) * HOUR_MS] as const]),
      }),
    ],
  ];
  const first: Action = { type: 'enrol', secret: 'qr' };
  return [first, ...Array.from({ length: 12 + below(28) }, () => weighted(makers)())];
}

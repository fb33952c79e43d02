import { GROUPS, type Group, LEVELS, type Level, OBJECT_COUNT, RIVALS } from './configuration.ts';
import { COMMAND_NAMES, type CommandName, GIVEN_COMMANDS, KINDS, type Kind } from './kinds.ts';

/** One thing that happens to the whole system. Devices are named by number and taken modulo those that there are, so that a list stays meaningful when parts of it are left out. */
export type Action =
  | { readonly type: 'enrol'; readonly secret: 'qr' | 'password' | 'mail'; readonly kind: number; readonly supervised: boolean }
  | { readonly type: 'command'; readonly device: number; readonly command: CommandName }
  | { readonly type: 'cancel'; readonly device: number }
  | { readonly type: 'remove'; readonly device: number }
  | { readonly type: 'deactivate'; readonly device: number }
  | { readonly type: 'deleteUser'; readonly device: number }
  | { readonly type: 'policy'; readonly minimumLength: number }
  | { readonly type: 'assign'; readonly device: number; readonly to: Level; readonly object: number }
  | { readonly type: 'join'; readonly device: number; readonly group: Group }
  | { readonly type: 'edit' }
  | { readonly type: 'age' }
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

/** Deletions end what a device can show, so they are rare. */
const RARE: readonly CommandName[] = ['deleteWork', 'deleteDevice'];
const COMMANDS: readonly (readonly [weight: number, type: CommandName])[] = COMMAND_NAMES.map((name) => [RARE.includes(name) ? 1 : 4, name] as const);
/** Commands that apply to the kind, most of the time; the others have to be refused. */
const FITTING_SHARE = 0.85;

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
  /** Kinds in the order of enrolment, so that commands can be chosen for them. */
  const kinds: number[] = [];
  const enrol = (kind = below(KINDS.length)): Action => {
    kinds.push(kind);
    return { type: 'enrol', secret: among(['qr', 'qr', 'password', 'mail'] as const), kind, supervised: below(2) === 0 };
  };
  const command = (): Action => {
    const number = device();
    const kind = KINDS[kinds[number % Math.min(kinds.length, 4)] ?? 0] as Kind;
    const fitting = COMMANDS.filter(([, name]) => GIVEN_COMMANDS[name].applies(kind));
    return { type: 'command', device: number, command: weighted(next() < FITTING_SHARE ? fitting : COMMANDS) };
  };
  /** The user and a group that the user is in have different ones of a sort of which only one can be in force. */
  const disagree = (): readonly Action[] => {
    const number = device();
    const first = among(RIVALS);
    const [own, shared] = below(2) === 0 ? [first, first + 1] : [first + 1, first];
    const group = among(GROUPS);
    return [
      { type: 'assign', device: number, to: 'user', object: own },
      { type: 'assign', device: number, to: group, object: shared },
      { type: 'join', device: number, group },
    ];
  };
  let jumpedMs = 0;
  const jump = (): Action => {
    const target = Math.round((next() * 2 - 1) * FARTHEST_JUMP_MS);
    const byMs = target - jumpedMs;
    jumpedMs = target;
    return { type: 'jump', byMs };
  };
  const makers: readonly (readonly [number, () => Action | readonly Action[]])[] = [
    [5, () => enrol()],
    [28, command],
    [2, () => ({ type: 'cancel', device: device() })],
    [1, () => ({ type: 'remove', device: device() })],
    [1, () => ({ type: 'deactivate', device: device() })],
    [1, () => ({ type: 'deleteUser', device: device() })],
    [2, () => ({ type: 'policy', minimumLength: 1 + below(60) })],
    [9, () => ({ type: 'assign', device: device(), to: among(LEVELS), object: below(OBJECT_COUNT) })],
    [6, () => ({ type: 'join', device: device(), group: among(GROUPS) })],
    [3, disagree],
    [1, () => ({ type: 'edit' })],
    [1, () => ({ type: 'age' })],
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
  return [enrol(seed % KINDS.length), ...Array.from({ length: 16 + below(32) }, () => weighted(makers)()).flat()];
}

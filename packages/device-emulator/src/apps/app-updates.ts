import type { Clock } from '@uemkit/protocol';
import { pause } from '../concurrency/pause.ts';
import type { FleetApp } from './fleet-app.ts';

/** `Command`: whatever is noted of a command to an app. */
export interface UpdatesOptions<Command> {
  readonly clock: Clock;
  /** Beginning of the timeline on the monotonic clock. */
  readonly beganMs: number;
  readonly signal: AbortSignal;
  /** False: the device has left, and the app with it. */
  isThere(): boolean;
  /** Commands that the app hears of when it asks now. */
  open(): readonly Command[];
  /** Resolves when that survives a crash. */
  carriedOut(commands: readonly Command[], isConfirmed: boolean): Promise<void>;
  failed(error: unknown): void;
}

/** Has an app ask UEM what has changed, by its plan, until `signal` ends it: as a user does who opens it now and then. A wiped one asks nobody, and only says what it is. */
export async function askForUpdates<Command>(app: FleetApp, { clock, beganMs, signal, ...options }: UpdatesOptions<Command>): Promise<void> {
  const { updates } = app.planned;
  if (updates === undefined) return;
  let atMs = beganMs + updates.firstMs;
  for (;;) {
    await pause(clock, atMs - clock.monotonicMs(), signal);
    if (signal.aborted || !options.isThere()) return;
    const open = options.open();
    try {
      const isConfirmed = await app.update(signal);
      // Of what is carried out and not confirmed UEM hears with the next question; a wiped app has no next one.
      if (isConfirmed || app.condition === 'wiped') await options.carriedOut(open, isConfirmed);
    } catch (error) {
      if (signal.aborted || !options.isThere()) return;
      options.failed(error);
    }
    // One question at a time: one that takes longer than the interval moves the next ones back.
    atMs = Math.max(atMs + updates.intervalMs, clock.monotonicMs());
  }
}

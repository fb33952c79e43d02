import { backoff, type Clock, type Entropy, isProtocolError } from '@uemkit/protocol';
import { request } from 'undici';
import { pause } from '../concurrency/pause.ts';
import { requestsPerSession } from '../plan/planned-apps.ts';
import type { AppRequest } from '../scenario/scenario.ts';
import type { FleetApp } from './fleet-app.ts';

/** Longest silence of the server in one request. */
const SILENCE_MS = 30_000;
const PAUSES = { minMs: 100, baseMs: 300, maxMs: 3_000 };

/** How far the sessions of one app are. */
export interface SessionCount {
  /** Sessions that are over, whatever became of their requests. */
  readonly sessions: number;
  readonly done: number;
  readonly failed: number;
  /** Requests that were not made, or broken off, because an administrator has locked, blocked or wiped the app. */
  readonly withheld: number;
}

export const NO_SESSION: SessionCount = { sessions: 0, done: 0, failed: 0, withheld: 0 };

/** What one request has moved. */
export interface RequestOutcome {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface TrafficOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly server: string;
  /** Start of the sessions on the monotonic clock; on resume the plan begins with the first session that is left. */
  readonly beganMs: number;
  readonly signal: AbortSignal;
  /** False: the app is not asked for sessions any more, for example because its device has left. */
  isThere(): boolean;
  succeeded(outcome: RequestOutcome, intendedMs: number, sentMs: number): void;
  failed(error: unknown, intendedMs: number, sentMs: number): void;
  /** Resolves when the count survives a crash. */
  counted(count: SessionCount): Promise<void>;
}

/** Runs the planned sessions of an app that are left: each at its time, or at once when the one before took longer. */
export async function runSessions(app: FleetApp, before: SessionCount, options: TrafficOptions): Promise<void> {
  const { clock, beganMs, signal } = options;
  const { sessionsAtMs } = app.planned;
  let count = before;
  for (const atMs of sessionsAtMs.slice(before.sessions)) {
    await pause(clock, beganMs + atMs - clock.monotonicMs(), signal);
    if (signal.aborted || !options.isThere()) return;
    const { done, failed, withheld } = await runSession(app, beganMs + atMs, options);
    // One that was broken off is made again.
    if (signal.aborted) return;
    count = { sessions: count.sessions + 1, done: count.done + done, failed: count.failed + failed, withheld: count.withheld + withheld };
    // Nobody waits for the sessions of an app that has no more.
    if (app.condition === 'wiped') count = withRestWithheld(app, count);
    await options.counted(count);
    if (count.sessions === sessionsAtMs.length) return;
  }
}

function withRestWithheld({ planned }: FleetApp, count: SessionCount): SessionCount {
  const sessions = planned.sessionsAtMs.length;
  return { ...count, sessions, withheld: count.withheld + (sessions - count.sessions) * requestsPerSession(planned) };
}

async function runSession(app: FleetApp, atMs: number, options: TrafficOptions): Promise<Omit<SessionCount, 'sessions'>> {
  const { clock, signal } = options;
  let [done, failed, withheld] = [0, 0, 0];
  let intendedMs = atMs;
  for (const planned of app.planned.requests) {
    for (let turn = 0; turn < planned.count && !signal.aborted; turn++) {
      if (isClosed(app)) {
        withheld++;
        continue;
      }
      const sentMs = clock.monotonicMs();
      try {
        options.succeeded(await askUntilAnswered(app, planned, options), intendedMs, sentMs);
        done++;
      } catch (error) {
        if (signal.aborted || !options.isThere()) break;
        if (isClosed(app) || endsWithLock(error)) withheld++;
        else {
          options.failed(error, intendedMs, sentMs);
          failed++;
        }
      }
      // A user asks for the next thing when the one before is there.
      intendedMs = clock.monotonicMs();
    }
  }
  return { done, failed, withheld };
}

/** A request to which no answer comes is made again, as often as the plan says. An answer is an answer. */
async function askUntilAnswered(app: FleetApp, request: AppRequest, options: TrafficOptions): Promise<RequestOutcome> {
  const { clock, entropy, signal } = options;
  const pauses = backoff(PAUSES, entropy)[Symbol.iterator]();
  for (let left = app.planned.retries; ; left--) {
    try {
      return await ask(app, request, options);
    } catch (error) {
      if (left === 0 || signal.aborted || !options.isThere() || error instanceof BadAnswer || isClosed(app) || endsWithLock(error)) throw error;
      await pause(clock, pauses.next().value as number, signal);
    }
  }
}

/** A user makes no requests in an app that shows that it is locked. */
function isClosed({ condition }: FleetApp): boolean {
  return condition !== 'open' && condition !== 'closed';
}

/** The runtime has ended the connection because the app was locked or wiped; by now it may be open again. */
function endsWithLock(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (isProtocolError(at) && (at.code === 'ERR_APP_LOCKED' || at.code === 'ERR_APP_WIPED')) return true;
  return false;
}

/** The server has answered, and that it cannot. */
class BadAnswer extends Error {
  constructor(status: number) {
    super(`the server answered ${status}`);
    this.name = 'BadAnswer';
  }
}

/** One request through the runtime; every byte of the answer is read, and undici checks its length. @throws an error of undici or the ProtocolError that is its cause */
async function ask({ runtime }: FleetApp, { method, path, bodyBytes }: AppRequest, { server, signal }: TrafficOptions): Promise<RequestOutcome> {
  const answer = await request(new URL(path, server), {
    method,
    dispatcher: runtime.dispatcher,
    signal,
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    ...(method === 'POST' ? { body: new Uint8Array(bodyBytes).fill(0x61), headers: { 'content-type': 'application/octet-stream' } } : {}),
  });
  let receivedBytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) receivedBytes += chunk.length;
  if (answer.statusCode >= 400) throw new BadAnswer(answer.statusCode);
  return { sentBytes: bodyBytes, receivedBytes };
}

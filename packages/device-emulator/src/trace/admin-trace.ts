import type { Clock } from '@uemkit/protocol';
import type { AdminExchange, AdminExchangeObserver } from '../admin/admin-http.ts';
import { type FieldRule, type Hash, redact, type Traced } from './redact.ts';
import { causesFault, restStep, shortRequest } from './rest-steps.ts';
import type { TraceLine } from './trace-line.ts';

/** What of a body of the REST API may be shown. Passwords and contents of QR codes are not on the list. */
const SHOWN: FieldRule = {
  username: 'show',
  displayName: 'show',
  guid: 'show',
  name: 'show',
  type: 'show',
  status: 'show',
  created: 'show',
  id: 'show',
  message: 'show',
  properties: { revision: 'show', message: 'show' },
  activationType: 'show',
  createWorkSpace: 'show',
  encryptDevice: 'show',
  pollIntervalS: 'show',
  pollJitterS: 'show',
  allowedDevices: 'show',
  activationProfile: { guid: 'show' },
  activationPasswords: [{ qrCode: 'show', expiry: 'show', activationProfile: { guid: 'show' } }],
  kind: 'show',
  service: 'show',
  delayMs: 'show',
  count: 'show',
  share: 'show',
  at: 'show',
};

export interface AdminTraceOptions {
  readonly clock: Clock;
  readonly hash: Hash;
  /** Index of the device that a user of the plan has. */
  indexOfUserId(userId: string): number | undefined;
  write(line: TraceLine): void;
}

/** The emulated administrator in the trace (F1.1, F5.1): each request over REST is one line, with its device where the path or the body names its user. */
export class AdminTrace implements AdminExchangeObserver {
  readonly #options: AdminTraceOptions;
  /** BOUNDED by the users of the plan. */
  readonly #indexOfGuid: Map<string, number> = new Map();
  /** Exchanges by request and answer, so that the journal of the server does not show them a second time. BOUNDED: what is taken away goes. */
  readonly #seen: Map<string, number> = new Map();

  constructor(options: AdminTraceOptions) {
    this.#options = options;
  }

  /** Guid of a user that an earlier start has added. */
  know(guid: string, index: number): void {
    this.#indexOfGuid.set(guid, index);
  }

  exchanged(exchange: AdminExchange): void {
    const { request, status, answer, error, tookMs, bytes } = exchange;
    const { method, path, body } = request;
    const { clock, hash, write } = this.#options;
    const refused = status !== undefined && status >= 400;
    if (status !== undefined) this.#note(`${method} ${path.split('?')[0]}`, status);
    write({
      time: new Date(clock.nowMs() - tookMs).toISOString(),
      device: this.#deviceOf(exchange),
      step: restStep(method, path),
      from: 'administrator',
      to: 'uem',
      message: shortRequest(method, path),
      bytes,
      body: { path, request: redact(body, SHOWN, hash), answer: answerOf(answer, hash) },
      answer: status === undefined ? 'no answer' : String(status),
      tookMs: Math.round(tookMs),
      ...(causesFault(method, path) ? { trouble: 'fault' as const } : {}),
      ...(refused || error !== undefined ? { trouble: refused ? ('refused' as const) : ('lost' as const), reason: error ?? `HTTP ${status}` } : {}),
    });
  }

  /** True when this request in the journal of the server is one of ours; each is taken once. */
  takes(request: string, answer: string): boolean {
    const key = `${request} ${answer}`;
    const count = this.#seen.get(key) ?? 0;
    if (count <= 1) this.#seen.delete(key);
    else this.#seen.set(key, count - 1);
    return count > 0;
  }

  #note(request: string, status: number): void {
    const key = `${request} ${status}`;
    if (this.#seen.size >= MAX_SEEN) this.#seen.delete(this.#seen.keys().next().value as string);
    this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
  }

  #deviceOf({ request, answer }: AdminExchange): number | undefined {
    const { username } = (request.body ?? {}) as { readonly username?: unknown };
    const named = typeof username === 'string' ? this.#options.indexOfUserId(username) : undefined;
    if (named !== undefined) {
      const { guid } = (answer ?? {}) as { readonly guid?: unknown };
      if (typeof guid === 'string') this.know(guid, named);
      return named;
    }
    const guid = /\/users\/([^/?]+)/.exec(request.path)?.[1];
    return guid === undefined ? undefined : this.#indexOfGuid.get(guid);
  }
}

/** Different exchanges that wait to be seen in the journal. */
const MAX_SEEN = 10_000;

/** Lists can be long, and belong to no step. */
function answerOf(answer: unknown, hash: Hash): Traced {
  return answer === undefined ? null : redact(answer, SHOWN, hash);
}

import { type Clock, type CryptoProvider, isProtocolError, utf8 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LabStore } from '../../store/lab-store.ts';
import { Offer, type Offered } from './offer.ts';
import type { PushDelivery } from './push-delivery.ts';
import type { PushSession } from './push-session.ts';
import { endToken, goneSince, nameToken, type TokenRecord, tokenKey, tokenOf } from './push-tokens.ts';
import type { Throttle } from './throttle.ts';
import { type KeepRule, putWaiting } from './waiting-wake-ups.ts';

/** A token as the face of its service asks for it. */
export type KnownToken =
  | { readonly state: 'in force'; readonly key: string; readonly application: string }
  | { readonly state: 'gone'; readonly sinceMs: number; readonly application: string }
  | { readonly state: 'unknown' };

/** One notification that a face has checked. */
export interface Submission {
  readonly key: string;
  readonly wakeUpId: Uint8Array;
  /** Undefined: now or never. */
  readonly expiresAtMs: number | undefined;
  readonly keep: KeepRule;
}

/** `delivered`: the device has it. `stored`: it waits for the device. `dropped`: it was for now or never, and the device is away. */
export type Submitted = 'delivered' | 'stored' | 'dropped';

/** Whoever submitted a notification. Must not throw. */
export interface Submitter {
  submitted(how: Submitted): void;
  /** It was not taken over. `error`: a ProtocolError `ERR_STORE_*`, or a bug. */
  failed(error: unknown): void;
}

/** What all faces share: tokens, limits, and the way to the device. */
export interface PushCore {
  find(service: wire.PushServiceName, address: string): KnownToken;
  /** Makes a token invalid, as a service may at any time; its device is told. False when it was not in force. */
  end(key: string): Promise<boolean>;
  throttled(key: string, sender: string): 'device' | 'sender' | undefined;
  /** Takes over a notification: a wake-up for a connected device is on the wire when this returns. `submitter` is told once what became of it. */
  submit(submission: Submission, submitter: Submitter): void;
}

/** A notification on its way to a device that is connected. */
class SubmittedOffer extends Offer {
  readonly submission: Submission;
  readonly session: PushSession;
  readonly submitter: Submitter;
  readonly #next: (offer: SubmittedOffer, how: Offered) => void;

  constructor(submission: Submission, session: PushSession, submitter: Submitter, next: (offer: SubmittedOffer, how: Offered) => void) {
    super(submission.wakeUpId);
    this.submission = submission;
    this.session = session;
    this.submitter = submitter;
    this.#next = next;
  }

  protected ended(how: Offered): void {
    this.#next(this, how);
  }
}

export function createPushCore(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly store: LabStore;
  readonly delivery: PushDelivery;
  readonly throttle: Throttle;
  sessionOf(key: string): PushSession | undefined;
  byAddress(service: wire.PushServiceName, address: string): PushSession | undefined;
  revoke(session: PushSession): void;
}): PushCore {
  const { clock, crypto, store, delivery, throttle, sessionOf, byAddress } = options;

  const keep = async (submission: Submission, expiresAtMs: number, session: PushSession | undefined): Promise<Submitted> => {
    const { key, wakeUpId } = submission;
    const takenAtMs = clock.nowMs();
    await store.transaction((tx) => {
      nameToken(tx, key);
      putWaiting(tx, key, submission.keep, { wakeUpId, takenAtMs, expiresAtMs });
    });
    // It came while this was being written, and looked for what waits before.
    const since = sessionOf(key);
    if (since !== undefined && since !== session) delivery.sendStored(since, { wakeUpId, sentAtEpochMs: takenAtMs });
    return 'stored';
  };

  /** A wake-up that the device took needs no write; but its token is of use from now on, and that is remembered once. */
  const named = (session: PushSession): void => {
    const { key, token } = session;
    if (key === undefined || token?.unnamedSinceMs === undefined) return;
    session.token = { ...token, unnamedSinceMs: undefined };
    store
      .transaction((tx) => nameToken(tx, key))
      .catch(() => {
        session.token = token;
      });
  };

  const put = (submission: Submission, expiresAtMs: number, session: PushSession | undefined, submitter: Submitter): void => {
    if (session !== undefined) delivery.isStored(session, submission.wakeUpId);
    keep(submission, expiresAtMs, session).then(
      (how) => submitter.submitted(how),
      (error: unknown) => submitter.failed(error),
    );
  };

  const offered = ({ submission, session, submitter }: SubmittedOffer, how: Offered): void => {
    if (how !== 'away') named(session);
    if (how === 'taken') return submitter.submitted('delivered');
    if (submission.expiresAtMs === undefined) return submitter.submitted(how === 'away' ? 'dropped' : 'delivered');
    put(submission, submission.expiresAtMs, session, submitter);
  };

  return {
    find(service, address) {
      const session = byAddress(service, address);
      const key = session?.key ?? tokenKey(crypto, wire.pushTokenOf({ service, address }));
      const record: Pick<TokenRecord, 'service' | 'application' | 'expiresAtMs' | 'goneAtMs'> | undefined =
        session?.token ?? store.read((view) => tokenOf(view, key));
      if (record === undefined) return { state: 'unknown' };
      const sinceMs = goneSince(record, clock.nowMs());
      const { application } = record;
      return sinceMs === undefined ? { state: 'in force', key, application } : { state: 'gone', sinceMs, application };
    },
    async end(key) {
      const was = await store.transaction((tx) => endToken(tx, key, clock.nowMs()));
      const session = sessionOf(key);
      if (session !== undefined) options.revoke(session);
      return was;
    },
    throttled: (key, sender) => throttle.count(key, sender),
    submit(submission, submitter) {
      const { key, wakeUpId, expiresAtMs } = submission;
      const session = sessionOf(key);
      if (session !== undefined)
        delivery.offer(session, { wakeUpId, sentAtEpochMs: clock.nowMs() }, new SubmittedOffer(submission, session, submitter, offered));
      else if (expiresAtMs === undefined) submitter.submitted('dropped');
      else put(submission, expiresAtMs, undefined, submitter);
    },
  };
}

/** True when the state of the service cannot be written or read: the sender has to come again. */
export function isStoreTrouble(error: unknown): boolean {
  return isProtocolError(error) && (error.code === 'ERR_STORE_WRITE' || error.code === 'ERR_STORE_READ' || error.code === 'ERR_REJECTED_BUSY');
}

/** A name of any length as part of a key in the store. */
export function shortName(crypto: CryptoProvider, name: string): string {
  return tokenKey(crypto, utf8(name)).slice(0, 32);
}

import { type Clock, type CryptoProvider, isProtocolError, utf8 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LabStore } from '../../store/lab-store.ts';
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

/** What all faces share: tokens, limits, and the way to the device. */
export interface PushCore {
  find(service: wire.PushServiceName, address: string): KnownToken;
  /** Makes a token invalid, as a service may at any time; its device is told. False when it was not in force. */
  end(key: string): Promise<boolean>;
  throttled(key: string, sender: string): 'device' | 'sender' | undefined;
  /** Takes over a notification. @throws ProtocolError `ERR_STORE_*`; then nothing may be answered but that it was not taken over */
  submit(submission: Submission): Promise<Submitted>;
}

export function createPushCore(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly store: LabStore;
  readonly delivery: PushDelivery;
  readonly throttle: Throttle;
  sessionOf(key: string): PushSession | undefined;
  revoke(session: PushSession): void;
}): PushCore {
  const { clock, crypto, store, delivery, throttle, sessionOf } = options;

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

  return {
    find(service, address) {
      const key = tokenKey(crypto, wire.pushTokenOf({ service, address }));
      const record: Pick<TokenRecord, 'service' | 'application' | 'expiresAtMs' | 'goneAtMs'> | undefined =
        sessionOf(key)?.token ?? store.read((view) => tokenOf(view, key));
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
    async submit(submission) {
      const { key, wakeUpId, expiresAtMs } = submission;
      const session = sessionOf(key);
      const offered = session === undefined ? 'away' : await delivery.offer(session, { wakeUpId, sentAtEpochMs: clock.nowMs() });
      if (session !== undefined && offered !== 'away') named(session);
      if (offered === 'taken') return 'delivered';
      if (expiresAtMs === undefined) return offered === 'away' ? 'dropped' : 'delivered';
      if (session !== undefined) delivery.isStored(session, wakeUpId);
      return keep(submission, expiresAtMs, session);
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

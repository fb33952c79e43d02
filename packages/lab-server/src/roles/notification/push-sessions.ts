import type { CancelTimer, Clock } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { PUSH_TICK_MS, type PushLimits } from './push-limits.ts';
import type { PushSession } from './push-session.ts';

/** Why a connection was cut off; the journal has it. */
export type CutOffReason = 'did not register' | 'silent' | 'took no wake-up';

/** The open push connections, and the one timer that looks after all of them. */
export interface PushSessions {
  readonly size: number;
  add(session: PushSession): void;
  remove(session: PushSession): void;
  /** Makes `session`, whose token is set, the one of `key` and `address`; returns the one before. */
  register(session: PushSession, key: string, address: string): PushSession | undefined;
  byKey(key: string): PushSession | undefined;
  /**
   * By the address in its token, as senders name it: no hash has to be made for a device that is connected. The look-up is by a hash with a key of the engine
   * and compares texts of equal hash only, so its time tells nobody how much of a guess was right; the addresses are in memory while their devices are connected.
   */
  byAddress(service: wire.PushServiceName, address: string): PushSession | undefined;
  all(): readonly PushSession[];
  stop(): void;
}

/** `cutOff` is called for each session that has been silent or slow for too long. */
export function createPushSessions(options: {
  readonly clock: Clock;
  readonly limits: PushLimits;
  cutOff(session: PushSession, reason: CutOffReason): void;
  /** The token of this session has run out (WNS channels do): the device has to get another one. */
  expired(session: PushSession): void;
}): PushSessions {
  const { clock, limits } = options;
  const silenceMs = limits.pingIntervalS * 1_000;
  // BOUNDED by limits.connections: the role refuses one more.
  const sessions = new Set<PushSession>();
  // BOUNDED by sessions: a subset of them.
  const registered = new Map<string, PushSession>();
  // BOUNDED by sessions, too.
  const addressed: Readonly<Record<wire.PushServiceName, Map<string, PushSession>>> = { fcm: new Map(), apns: new Map(), wns: new Map(), bb10: new Map() };
  let cancelTimer: CancelTimer | undefined;

  const tick = (): void => {
    cancelTimer = undefined;
    const nowMs = clock.monotonicMs();
    const wallMs = clock.nowMs();
    for (const session of sessions) {
      if ((session.token?.expiresAtMs ?? wallMs) < wallMs) options.expired(session);
      else look(session, nowMs);
    }
    arm();
  };
  // No timer without a session: a lab at rest under a virtual clock has nothing to run.
  const arm = (): void => {
    if (cancelTimer === undefined && sessions.size > 0) cancelTimer = clock.setTimer(PUSH_TICK_MS, tick);
  };
  const look = (session: PushSession, nowMs: number): void => {
    const takesNone = session.hasUntaken;
    if (session.key === undefined && nowMs - session.openedMs > limits.registerMs) options.cutOff(session, 'did not register');
    else if (nowMs - session.heardMs > silenceMs) options.cutOff(session, 'silent');
    else if (takesNone && nowMs - session.untakenSinceMs > limits.acknowledgeMs) options.cutOff(session, 'took no wake-up');
    else if (nowMs - session.pingedMs >= silenceMs / 2) {
      session.pingedMs = nowMs;
      session.socket.ping();
    }
  };

  return {
    get size() {
      return sessions.size;
    },
    add(session) {
      sessions.add(session);
      arm();
    },
    remove(session) {
      sessions.delete(session);
      const { key, token, address } = session;
      if (key !== undefined && registered.get(key) === session) registered.delete(key);
      if (token === undefined || address === undefined) return;
      if (addressed[token.service].get(address) === session) addressed[token.service].delete(address);
    },
    register(session, key, address) {
      const before = registered.get(key);
      session.key = key;
      session.address = address;
      registered.set(key, session);
      if (session.token !== undefined) addressed[session.token.service].set(address, session);
      return before;
    },
    byKey: (key) => registered.get(key),
    byAddress: (service, address) => addressed[service].get(address),
    all: () => [...sessions],
    stop() {
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}

import { isProtocolError, wire } from '@uemkit/protocol';
import { idReferences } from '../../journal/references.ts';
import type { LinkGuard } from '../link-guard.ts';
import type { Role, RoleContext } from '../role.ts';
import { alerted, answered, frameOf, malformed, type Outcome, outcomeOf, unexpectedFrame } from '../role-answers.ts';
import { createPushDelivery, type DeliveryFault } from './push-delivery.ts';
import { PUSH_LIMITS, type PushLimits } from './push-limits.ts';
import { openSession, type PushConnection, type PushSession, type PushSocket } from './push-session.ts';
import { createPushSessions } from './push-sessions.ts';
import { createToken, deleteToken, findToken, isRegistered, pendingOf, putPending, tokenKey, touchToken } from './push-tokens.ts';

export interface NotificationOptions extends RoleContext {
  readonly guard: LinkGuard;
  readonly limits?: Partial<PushLimits> | undefined;
  /** Asked before each wake-up leaves; what it returns is done to the wake-up. */
  readonly deliveryFault?: (() => DeliveryFault | undefined) | undefined;
}

/** An outcome, and which wake-ups it is about. */
type NotifyOutcome = Outcome & { readonly refs?: readonly string[] };

interface Provided {
  readonly request: string;
  readonly outcome: NotifyOutcome;
}

/** The notification service: devices hold one connection each, the Infrastructure hands over notifications (F5.2). */
export interface NotificationRole extends Role {
  /** A device opened a push connection. */
  connect(socket: PushSocket, source: string): PushConnection;
  /** Makes a token invalid, as a notification service may at any time; false when it was not in force. */
  revokeToken(token: Uint8Array): Promise<boolean>;
  /** Open push connections. */
  readonly connections: number;
  /** Tells every device that the service goes away, and closes. */
  close(): void;
}

/** Starts the notification service on its store: tokens and waiting wake-ups are those of before. */
export function createNotificationRole(options: NotificationOptions): NotificationRole {
  const { clock, crypto, entropy, store, journal, guard } = options;
  const limits: PushLimits = { ...PUSH_LIMITS, ...options.limits };
  const cutOff = (session: PushSession, reason: string): void => {
    note(session, 'connection', 'cut off', reason);
    session.socket.cutOff();
    closed(session);
  };
  const sessions = createPushSessions({ clock, limits, cutOff });
  const { unreadBytes } = limits;
  const delivery = createPushDelivery({ clock, crypto, store, journal, unreadBytes, fault: options.deliveryFault ?? (() => undefined), cutOff });
  let stopped = false;

  const note = (session: PushSession, request: string, answer: string, reason?: string): void =>
    journal.record({ timeMs: clock.nowMs(), role: 'notification', service: 'push', step: 'F5.2', request, answer, source: session.source, reason });

  const closed = (session: PushSession): void => {
    session.state = 'closed';
    sessions.remove(session);
  };

  /** Ends a session on purpose. */
  const end = (session: PushSession, reason: wire.PushClose['reason']): void => {
    session.socket.send(wire.pushClose.encode({ reason }));
    session.socket.close('ended');
    closed(session);
  };

  const refuse = (session: PushSession, request: string, reason: string): void => {
    note(session, request, 'closed', reason);
    session.socket.close('refused');
    closed(session);
  };

  /** First frame of a device: its token is found, or a new one is made durable before it is told. */
  const register = async (session: PushSession, request: wire.PushRegister): Promise<void> => {
    session.state = 'registering';
    const nowMs = clock.nowMs();
    const given = request.token === undefined ? undefined : tokenKey(crypto, request.token);
    const known = given === undefined ? undefined : store.read((view) => findToken(view, given, request.service, nowMs));
    let token: Uint8Array;
    let key: string;
    if (given !== undefined && request.token !== undefined && known !== undefined) {
      token = request.token;
      key = given;
      if (known.seenIsOld) await store.transaction((tx) => touchToken(tx, key, nowMs));
    } else {
      const { tokens: maxTokens, tokenLifeMs } = limits;
      const made = await store.transaction((tx) => createToken(tx, { crypto, entropy, service: request.service, nowMs, maxTokens, tokenLifeMs }));
      if (made === undefined) return refuse(session, 'pushRegister', 'too many tokens');
      ({ token, key } = made);
    }
    if ((session.state as string) === 'closed') return;
    session.state = 'registered';
    const before = sessions.register(session, key);
    if (before !== undefined && before !== session) end(before, 'replaced');
    note(session, 'pushRegister', 'pushRegistered', request.token !== undefined && known === undefined ? 'unknown token, a new one was made' : undefined);
    session.socket.send(wire.pushRegistered.encode({ token, pingIntervalS: limits.pingIntervalS }));
    const waiting = store.read((view) => pendingOf(view, key, clock.nowMs()));
    if (waiting !== undefined) delivery.send(session, { wakeUpId: waiting.wakeUpId, sentAtEpochMs: waiting.sentAtMs }, 'stored');
  };

  const received = (session: PushSession, bytes: Uint8Array): void => {
    if (session.state === 'closed') return;
    session.heardMs = clock.monotonicMs();
    const frame = frameOf(bytes, wire.LIMITS.unauthenticatedBodyBytes.value);
    if (frame === undefined) return refuse(session, 'unknown', 'not a frame');
    try {
      if (frame.name === 'pushRegister' && session.state === 'opened') {
        register(session, wire.pushRegister.decode(frame)).catch((error: unknown) => refuse(session, frame.name, codeOf(error)));
      } else if (frame.name === 'pushAck' && session.state === 'registered') {
        delivery.acknowledged(session, wire.pushAck.decode(frame).wakeUpId);
      } else {
        refuse(session, frame.name, `not allowed while ${session.state}`);
      }
    } catch (error) {
      refuse(session, frame.name, codeOf(error));
    }
  };

  /** F5.2: takes over notifications. They are durable before any of them is sent or answered for. */
  const notify = async (message: wire.Notify): Promise<NotifyOutcome> => {
    const nowMs = clock.nowMs();
    const keyed = message.notifications.map((notification) => ({ notification, key: tokenKey(crypto, notification.token) }));
    const kept = await store.transaction((tx) =>
      keyed.map(({ notification, key }): 'stored' | 'unregistered' | 'now-or-never' | 'expired' => {
        if (!isRegistered(tx, key)) return 'unregistered';
        if (notification.expiresAtEpochS === 0) return 'now-or-never';
        if (notification.expiresAtEpochS * 1_000 <= nowMs) return 'expired';
        putPending(tx, key, notification);
        return 'stored';
      }),
    );
    const statuses = keyed.map(({ notification, key }, index): wire.NotifyStatus => {
      const how = kept[index] as (typeof kept)[number];
      if (how === 'unregistered' || how === 'expired') return how;
      const session = sessions.byKey(key);
      if (session === undefined) return how === 'stored' ? 'stored' : 'expired';
      const sent = delivery.send(session, { wakeUpId: notification.wakeUpId, sentAtEpochMs: notification.sentAtEpochMs }, how);
      return sent ? 'delivered' : how === 'stored' ? 'stored' : 'expired';
    });
    return {
      ...answered(wire.notifyResult, { statuses }),
      refs: idReferences(
        crypto,
        message.notifications.map(({ wakeUpId }) => wakeUpId),
      ),
    };
  };

  const provider = async (bytes: Uint8Array, peer: Parameters<LinkGuard['roleOf']>[0]): Promise<Provided> => {
    const frame = frameOf(bytes);
    if (frame === undefined) return { request: 'unknown', outcome: malformed('not a frame') };
    const caller = guard.roleOf(peer);
    if (typeof caller === 'object') return { request: frame.name, outcome: alerted('authFailed', caller.refused) };
    if (caller !== 'infrastructure') return { request: frame.name, outcome: alerted('authFailed', `role ${caller} may not notify`) };
    if (frame.name !== 'notify') return { request: frame.name, outcome: unexpectedFrame(frame.name) };
    try {
      return { request: frame.name, outcome: await notify(wire.notify.decode(frame)) };
    } catch (error) {
      return { request: frame.name, outcome: outcomeOf(error) };
    }
  };

  return {
    name: 'notification',
    services: ['provider'],
    async handle({ service, frame, peer }) {
      const receivedMs = clock.nowMs();
      const { request, outcome }: Provided =
        service === 'provider' ? await provider(frame, peer) : { request: 'unknown', outcome: malformed('no such service here') };
      const unknown = request === 'unknown' || service !== 'provider' || undefined;
      const { told: answer, reason, refs } = outcome;
      journal.record({
        timeMs: clock.nowMs(),
        role: 'notification',
        service,
        step: 'F5.2',
        request,
        answer,
        source: peer.source,
        reason,
        unknown,
        receivedMs,
        bytes: frame.length,
        refs,
      });
      return outcome.answer;
    },
    connect(socket, source) {
      const session = openSession(socket, source, clock.monotonicMs());
      if (stopped || sessions.size >= limits.connections) end(session, 'goingAway');
      else sessions.add(session);
      return {
        received: (frame) => received(session, frame),
        alive() {
          session.heardMs = clock.monotonicMs();
        },
        closed: () => closed(session),
      };
    },
    async revokeToken(token) {
      const key = tokenKey(crypto, token);
      const was = await store.transaction((tx) => deleteToken(tx, key));
      const session = sessions.byKey(key);
      if (session !== undefined) end(session, 'revoked');
      return was;
    },
    get connections() {
      return sessions.size;
    },
    close() {
      stopped = true;
      sessions.stop();
      for (const session of sessions.all()) end(session, 'goingAway');
    },
  };
}

function codeOf(error: unknown): string {
  return isProtocolError(error) ? `${error.code} ${error.message}` : 'bug';
}

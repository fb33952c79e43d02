import { isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { Role, RoleContext } from '../role.ts';
import { frameOf, malformed } from '../role-answers.ts';
import { accessKey, createAccessTokens } from './providers/access-tokens.ts';
import { createProviderFaces, type ProviderFaces } from './providers/faces.ts';
import type { PushAccounts } from './push-accounts.ts';
import { createPushCore } from './push-core.ts';
import { createPushDelivery, type DeliveryFault } from './push-delivery.ts';
import { PUSH_LIMITS, type PushLimits } from './push-limits.ts';
import { type PushConnection, PushSession, type PushSocket } from './push-session.ts';
import { createPushSessions } from './push-sessions.ts';
import { tokenKey } from './push-tokens.ts';
import { createRegistration } from './registration.ts';
import { createThrottle } from './throttle.ts';
import { waitingOf } from './waiting-wake-ups.ts';
import { acknowledgedId } from './wake-up-frames.ts';

export interface NotificationOptions extends RoleContext {
  /** Who may send. */
  readonly accounts: PushAccounts;
  /** DER of the root of the lab: it issues the certificates of senders. */
  readonly root: Uint8Array;
  /** Origin of the provider listener, `https://host:port`. */
  readonly origin: string;
  readonly limits?: Partial<PushLimits> | undefined;
  /** Asked before each wake-up leaves; what it returns is done to the wake-up. */
  readonly deliveryFault?: ((service: wire.PushServiceName) => DeliveryFault | undefined) | undefined;
}

/** The notification services: devices hold one connection each, senders use the provider API of the service (F5.2). */
export interface NotificationRole extends Role {
  /** A device opened a push connection. */
  connect(socket: PushSocket, source: string): PushConnection;
  /** The provider APIs. */
  readonly providers: ProviderFaces;
  /** Makes a token invalid, as a notification service may at any time; false when it was not in force. */
  revokeToken(token: Uint8Array): Promise<boolean>;
  /** Open push connections. */
  readonly connections: number;
  /** Tells every device that the service goes away, and closes. */
  close(): void;
}

/** Starts the notification services on their store: tokens and waiting wake-ups are those of before. */
export async function createNotificationRole(options: NotificationOptions): Promise<NotificationRole> {
  const { clock, crypto, entropy, store, journal, accounts, origin, root } = options;
  const limits: PushLimits = { ...PUSH_LIMITS, ...options.limits };
  const key = await store.transaction((tx) => accessKey(tx, () => entropy.randomBytes(32)));
  const cutOff = (session: PushSession, reason: string): void => {
    note(session, 'connection', 'cut off', reason);
    session.socket.cutOff();
    closed(session);
  };
  const sessions = createPushSessions({ clock, limits, cutOff, expired: (session) => end(session, 'revoked') });
  const deliveryFault = options.deliveryFault ?? (() => undefined);
  const fault = ({ token }: PushSession): DeliveryFault | undefined => (token === undefined ? undefined : deliveryFault(token.service));
  const delivery = createPushDelivery({ clock, crypto, store, journal, limits, fault, cutOff });
  const sessionOf = (name: string): PushSession | undefined => sessions.byKey(name);
  const throttle = createThrottle(clock, limits);
  const { byAddress } = sessions;
  const core = createPushCore({ clock, crypto, store, delivery, throttle, sessionOf, byAddress, revoke: (session) => end(session, 'revoked') });
  const registration = createRegistration({
    ...{ clock, crypto, entropy, store, accounts, limits, channelOrigin: origin },
    isConnected: (name) => sessionOf(name) !== undefined,
  });
  const providers = createProviderFaces({
    ...{ clock, crypto, core, journal, accounts, root, origin },
    accessTokens: createAccessTokens({ clock, crypto, key }),
    nowMs: () => clock.nowMs(),
    randomBytes: (lengthBytes) => entropy.randomBytes(lengthBytes),
  });
  let stopped = false;

  const note = (session: PushSession, request: string, answer: string, reason?: string): void =>
    journal.record({ timeMs: clock.nowMs(), role: 'notification', service: 'push', step: 'F5.2', request, answer, source: session.source, reason });

  const closed = (session: PushSession): void => {
    if (session.state === 'closed') return;
    session.state = 'closed';
    sessions.remove(session);
    delivery.closed(session);
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
    const registered = await registration.register(request);
    if ((session.state as string) === 'closed') return;
    if ('refused' in registered) return refuse(session, 'pushRegister', registered.refused);
    session.state = 'registered';
    const { service, application, expiresAtMs, unnamedSinceMs } = registered.record;
    session.token = { service, application, expiresAtMs, unnamedSinceMs };
    const before = sessions.register(session, registered.key, registered.address);
    if (before !== undefined && before !== session) end(before, 'replaced');
    note(session, 'pushRegister', 'pushRegistered', registered.replaced ? 'the token is not in force any more, a new one was made' : undefined);
    session.socket.send(wire.pushRegistered.encode({ token: registered.token, pingIntervalS: limits.pingIntervalS }));
    for (const { wakeUpId, takenAtMs } of store.read((view) => waitingOf(view, registered.key, clock.nowMs()))) {
      delivery.sendStored(session, { wakeUpId, sentAtEpochMs: takenAtMs });
    }
  };

  const received = (session: PushSession, bytes: Uint8Array): void => {
    if (session.state === 'closed') return;
    session.heardMs = clock.monotonicMs();
    const taken = session.state === 'registered' ? acknowledgedId(bytes) : undefined;
    if (taken !== undefined) return delivery.acknowledged(session, taken);
    const frame = frameOf(bytes, wire.LIMITS.unauthenticatedBodyBytes);
    if (frame === undefined) return refuse(session, 'unknown', 'not a frame');
    try {
      if (frame.name === 'pushRegister' && session.state === 'opened') {
        register(session, wire.pushRegister.decode(frame)).catch((error: unknown) => refuse(session, frame.name, codeOf(error)));
      } else if (frame.name === 'pushAck' && session.state === 'registered') {
        // Not the bytes of an acknowledgement: the decoder says what is wrong with them.
        wire.pushAck.decode(frame);
      } else {
        refuse(session, frame.name, `not allowed while ${session.state}`);
      }
    } catch (error) {
      refuse(session, frame.name, codeOf(error));
    }
  };

  const owner = { nowMs: () => clock.monotonicMs(), received, closed };

  return {
    name: 'notification',
    services: [],
    providers,
    async handle({ service, peer }) {
      const { answer, told, reason } = malformed('no frames are taken here');
      journal.record({ timeMs: clock.nowMs(), role: 'notification', service, request: 'unknown', answer: told, source: peer.source, reason, unknown: true });
      return answer;
    },
    connect(socket, source) {
      const session = new PushSession(socket, source, owner);
      if (stopped || sessions.size >= limits.connections) end(session, 'goingAway');
      else sessions.add(session);
      return session;
    },
    revokeToken: (token) => core.end(tokenKey(crypto, token)),
    get connections() {
      return sessions.size;
    },
    close() {
      stopped = true;
      sessions.stop();
      delivery.stop();
      for (const session of sessions.all()) end(session, 'goingAway');
    },
  };
}

function codeOf(error: unknown): string {
  return isProtocolError(error) ? `${error.code} ${error.message}` : 'bug';
}

import { appActivationResponder, type SetUpEnvelope, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { NocRegistrar } from '../../links/noc-registrar.ts';
import { usedKeyOfSession } from '../../state/access-keys.ts';
import type { TenantRecord } from '../../state/tenants.ts';
import type { LinkGuard } from '../link-guard.ts';
import type { RoleContext, RoleRequest } from '../role.ts';
import { alerted, answered, busy, frameOf, malformed, outcomeOf } from '../role-answers.ts';
import type { ServiceOutcome } from './service-outcome.ts';
import type { SetUpKeys } from './set-up-keys.ts';
import { type SessionAnswer, type SetUpSession, setUpSession } from './set-up-session.ts';

export interface SetUpServiceOptions extends Omit<RoleContext, 'journal'> {
  readonly tenant: TenantRecord;
  readonly guard: LinkGuard;
  readonly keys: SetUpKeys;
  readonly noc: Pick<NocRegistrar, 'tell'>;
}

/** F3.10, F3.11: what the NOC passes on from apps. */
export interface SetUpService {
  handle(request: RoleRequest): Promise<ServiceOutcome>;
  /** Gives up all sessions and wipes what they hold. */
  close(): void;
}

/** A session and the M1 that it began with. */
interface Running {
  readonly start: string;
  sessionId: string | undefined;
  readonly session: SetUpSession;
}

/** Sessions are in memory for as long as a handshake may take: after a restart their apps begin again. What a used key was answered is durable. */
export function createSetUpService(options: SetUpServiceOptions): SetUpService {
  const { clock, crypto, entropy, store, tenant, guard, keys, noc } = options;
  // Both BOUNDED by LIMITS.pendingRuns; a session ends after LIMITS.handshakeMs.
  const byStart = new Map<string, Running>();
  const bySession = new Map<string, Running>();

  const open = (envelope: SetUpEnvelope, start: string): SetUpSession => {
    const machine = appActivationResponder({ crypto, entropy, coreId: tenant.coreId, envelope });
    const session = setUpSession({
      ...{ clock, store, keys, envelope, machine },
      replied(sessionId) {
        running.sessionId = sessionId;
        bySession.set(sessionId, running);
      },
      tell: () => noc.tell(toHex(envelope.keyId)),
      ended() {
        byStart.delete(start);
        if (running.sessionId !== undefined) bySession.delete(running.sessionId);
      },
    });
    const running: Running = { start, sessionId: undefined, session };
    byStart.set(start, running);
    return session;
  };

  /** 0x32: M1. The same bytes in a live session get the same M2, and cost nothing (rule 3). */
  const setUp = async (frame: wire.Frame): Promise<ServiceOutcome> => {
    const { setUp: bytes, ...envelope } = wire.nocSetUp.decode(frame);
    // The whole message of the NOC: with another token or link around it, it is another one.
    const start = toHex(crypto.sha256(frame.core));
    const known = byStart.get(start)?.session;
    if (known === undefined && byStart.size >= wire.LIMITS.pendingRuns) return { ...busy('too many unfinished set-ups'), step: 'F3.10' };
    const answer = await (known ?? open(envelope, start)).receive(bytes);
    return { ...described(answer, (given) => ({ status: 'answered', frame: given })), step: 'F3.10', userId: answer.userId };
  };

  /** 0x33: M3 and what follows it. */
  const envelope = async (frame: wire.Frame): Promise<ServiceOutcome> => {
    const { sessionId, frame: bytes } = wire.nocEnvelope.decode(frame);
    const running = bySession.get(toHex(sessionId));
    if (running === undefined) return { ...answerAgain(sessionId, bytes), step: 'F3.11' };
    const answer = await running.session.receive(bytes);
    // The session has ended with an earlier frame of the two that were here at once, so this may be its 0x41 once more.
    if (answer.frame === undefined) return { ...answerAgain(sessionId, bytes, answer.reason), step: 'F3.11', userId: answer.userId };
    const wrapped = (given: Uint8Array) => ({ status: 'answered', frame: wire.nocEnvelope.encode({ sessionId, frame: given }) }) as const;
    return { ...described(answer, wrapped), step: 'F3.11', userId: answer.userId };
  };

  /** A lost 0x42: the same 0x41 gets it again, for a day (rule 7). */
  const answerAgain = (sessionId: Uint8Array, bytes: Uint8Array, reason = 'no such session'): ServiceOutcome => {
    const key = store.read((view) => usedKeyOfSession(view, toHex(sessionId), clock.nowMs()));
    const used = key?.used;
    // check: F3.11 the same 0x41
    if (used === undefined || used.ackHash !== toHex(crypto.sha256(bytes))) return alerted('authFailed', reason);
    return { ...answered(wire.nocEnvelope, { sessionId, frame: used.done }), userId: key?.userId, reason: 'repeated' };
  };

  return {
    async handle({ service, frame: bytes, peer }) {
      const caller = guard.roleOf(peer);
      if (caller !== 'noc') return alerted('authFailed', typeof caller === 'object' ? caller.refused : `role ${caller} may not do this`);
      const frame = frameOf(bytes);
      if (frame === undefined) return malformed('not a frame');
      try {
        if (service === 'setUp' && frame.name === 'nocSetUp') return await setUp(frame);
        if (service === 'envelopes' && frame.name === 'nocEnvelope') return await envelope(frame);
        return { ...alerted('badMessage', `${frame.name} does not belong here`), unknown: true };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    close() {
      for (const { session } of [...byStart.values()]) session.close();
    },
  };
}

type Answered = Extract<ServiceOutcome['answer'], { readonly status: 'answered' }>;

function described({ frame, reason }: SessionAnswer, wrap: (frame: Uint8Array) => Answered): Pick<ServiceOutcome, 'answer' | 'told' | 'reason'> {
  if (frame === undefined) return alerted('authFailed', reason ?? 'nothing to say to this frame now');
  const name = wire.peekFrameName(frame);
  // Alerts before mac3 are frames; everything behind it is a record.
  if (name !== 'alert') return { answer: wrap(frame), told: name ?? 'record', reason };
  return { answer: { status: 'answered', frame }, told: `alert ${wire.alert.decode(wire.parseFrame(frame)).code}`, reason };
}

import { type PeerIdentity, requireCanonicalUserId, userIdHash } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { idReferences, type References, userReferences } from '../../journal/references.ts';
import type { LinkGuard } from '../link-guard.ts';
import type { Role, RoleContext, ServiceName } from '../role.ts';
import { alerted, answered, busy, frameOf, malformed, type Outcome, outcomeOf, unexpectedFrame } from '../role-answers.ts';
import { createPassingOn } from './push/passing-on.ts';
import type { PushCredentials } from './push/push-credentials.ts';
import type { ProviderWire } from './push/push-sender.ts';
import { applyRegistrations, fakeKey, tenantOfUser } from './registrations.ts';

export interface InfrastructureOptions extends RoleContext {
  readonly guard: LinkGuard;
  /** Way to the notification services: their provider APIs, at `origin`. */
  readonly provider: ProviderWire;
  readonly origin: string;
  /** What the tenant sends with. */
  readonly credentials: PushCredentials;
}

/** One request that is being answered. */
interface Job {
  readonly frame: wire.Frame;
  readonly peer: PeerIdentity;
}

/** An outcome, and whom it is about. */
type InfrastructureOutcome = Outcome & { readonly userId?: string; readonly refs?: References };

const STEPS: Readonly<Record<string, string>> = { discovery: 'F1.3', registrations: 'F1.1', notifications: 'F5.2' };

/**
 * The Infrastructure: it knows which tenant a user belongs to, by hash only, and hands wake-ups to the notification services.
 * It knows no password, no device and no command.
 */
export async function createInfrastructureRole(options: InfrastructureOptions): Promise<Role> {
  const { clock, crypto, entropy, store, journal, guard } = options;
  const { provider, origin, credentials } = options;
  const passingOn = createPassingOn({ clock, crypto, journal, provider, origin, credentials });
  const known = await store.transaction((tx) => fakeKey(tx, () => entropy.randomBytes(32)));

  /** F1.3: the tenant of a user. An unknown one gets an answer of the same form. */
  const discover = async ({ frame }: Job): Promise<InfrastructureOutcome> => {
    const { versions, userId } = wire.discoveryRequest.decode(frame);
    requireCanonicalUserId(userId);
    if (!versions.includes(wire.PROTOCOL_VERSION)) return { ...alerted('badMessage', 'no version in common'), userId };
    const found = store.read((view) => tenantOfUser(view, { crypto, fakeKey: known, userHash: userIdHash(crypto, userId) }));
    if (found === undefined) return { ...busy('no tenant has registered yet'), userId };
    const outcome = answered(wire.discoveryResponse, { version: wire.PROTOCOL_VERSION, ...found.tenant });
    return found.known ? { ...outcome, userId } : { ...outcome, userId, reason: 'unknown user' };
  };

  /** F1.1: UEM registers its users. */
  const register = async ({ frame }: Job): Promise<InfrastructureOutcome> => {
    const message = wire.registerUsers.decode(frame);
    const taken = await store.transaction((tx) => applyRegistrations(tx, message));
    const refs = userReferences([...message.add, ...message.remove]);
    return { ...(taken ? answered(wire.acknowledgement, { ok: true }) : busy('too many tenants', 60)), refs };
  };

  /**
   * F5.2: each wake-up goes to the notification service of its device. Nothing is ever lost in silence: what did not get through is told for each, also when no service answers.
   */
  const passOn = async ({ frame }: Job): Promise<InfrastructureOutcome> => {
    const { notifications } = wire.notify.decode(frame);
    const refs = idReferences(
      crypto,
      notifications.map(({ wakeUpId }) => wakeUpId),
    );
    return { ...answered(wire.notifyResult, { statuses: await passingOn.send(notifications) }), refs };
  };

  const fromUem =
    (work: (job: Job) => Promise<InfrastructureOutcome>) =>
    async (job: Job): Promise<InfrastructureOutcome> => {
      const caller = guard.roleOf(job.peer);
      if (typeof caller === 'object') return alerted('authFailed', caller.refused);
      return caller === 'uem' ? work(job) : alerted('authFailed', `role ${caller} may not do this`);
    };

  const services: Readonly<
    Partial<Record<ServiceName, { readonly takes: wire.FrameName; readonly maxBodyBytes: number; work(job: Job): Promise<InfrastructureOutcome> }>>
  > = {
    discovery: { takes: 'discoveryRequest', maxBodyBytes: wire.LIMITS.unauthenticatedBodyBytes, work: discover },
    registrations: { takes: 'registerUsers', maxBodyBytes: wire.LIMITS.bodyBytes, work: fromUem(register) },
    notifications: { takes: 'notify', maxBodyBytes: wire.LIMITS.bodyBytes, work: fromUem(passOn) },
  };

  const serve = async (
    service: ServiceName,
    bytes: Uint8Array,
    peer: PeerIdentity,
  ): Promise<{ readonly request: string; readonly outcome: InfrastructureOutcome }> => {
    const served = services[service];
    const frame = served === undefined ? undefined : frameOf(bytes, served.maxBodyBytes);
    if (served === undefined || frame === undefined)
      return { request: 'unknown', outcome: malformed(served === undefined ? 'no such service here' : 'not a frame') };
    if (frame.name !== served.takes) return { request: frame.name, outcome: unexpectedFrame(frame.name) };
    try {
      return { request: frame.name, outcome: await served.work({ frame, peer }) };
    } catch (error) {
      return { request: frame.name, outcome: outcomeOf(error) };
    }
  };

  return {
    name: 'infrastructure',
    services: ['discovery', 'registrations', 'notifications'],
    async handle({ service, frame, peer }) {
      const receivedMs = clock.nowMs();
      const { request, outcome } = await serve(service, frame, peer);
      const { told, reason, userId, refs } = outcome;
      const unknown = request === 'unknown' || request !== services[service]?.takes || undefined;
      journal.record({
        timeMs: clock.nowMs(),
        role: 'infrastructure',
        service,
        step: STEPS[service],
        request,
        answer: told,
        source: peer.source,
        userId,
        reason,
        unknown,
        receivedMs,
        bytes: frame.length,
        refs,
      });
      return outcome.answer;
    },
  };
}

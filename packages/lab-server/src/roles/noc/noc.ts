import { isProtocolError, type PeerIdentity, secret, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { LinkGuard, RoleLink } from '../link-guard.ts';
import type { Role, RoleContext, ServiceName } from '../role.ts';
import { alerted, answered, busy, frameOf, malformed, type Outcome, outcomeOf, unexpectedFrame } from '../role-answers.ts';
import { requireKnownSession, sessionOf, setUpToForward } from './forward-set-up.ts';
import { createMisses } from './misses.ts';
import { endLink, isKeyOf, registerKey, useKey, withdrawKey } from './noc-keys.ts';
import { linkById, putLink, putNocSession, tokenKeyOf } from './noc-links.ts';
import { forgetPushApp, takePush } from './noc-push.ts';
import { putNocTenant } from './noc-tenants.ts';
import { type NocPlace, verifyKey } from './verify-key.ts';

export interface NocOptions extends RoleContext {
  readonly guard: LinkGuard;
  /** Way to UEM. */
  readonly uem: RoleLink;
  readonly place: NocPlace;
  /** A link (hex) is forgotten, and that is durable: what is open over it breaks before UEM hears yes. Must not throw. */
  readonly linkEnded: (linkId: string) => void;
  /** Apps that are connected for their push channels, by link (hex). Must not throw. */
  readonly pushes: { isConnected(linkId: string): boolean; waits(linkId: string): void };
}

/** One frame that is being answered. */
interface Job {
  readonly frame: wire.Frame;
  readonly bytes: Uint8Array;
  readonly peer: PeerIdentity;
}

/** An outcome, and its step. */
interface NocOutcome extends Outcome {
  readonly step?: string;
  readonly userId?: string;
}

/** Largest body of an envelope of an app: one M3, or a record with 0x41. */
export const ENVELOPE_BODY_BYTES: number = wire.LIMITS.certificateBodyBytes + 256;

/**
 * The NOC: it verifies access keys by what UEM registered, gives links and tokens out (F3.7, F3.8), and passes what an app and UEM say to each other (F3.9 to
 * F3.11) without a key to any of it.
 */
export async function createNocRole(options: NocOptions): Promise<Role> {
  const { clock, crypto, entropy, store, journal, guard, uem, place, linkEnded, pushes } = options;
  const tokenKey = secret<'noc-token'>(await store.transaction((tx) => tokenKeyOf(tx, () => entropy.randomBytes(32))));
  const misses = createMisses();

  /** F3.7, F3.8. */
  const verify = async ({ frame, peer }: Job): Promise<NocOutcome> => {
    const nowMs = clock.nowMs();
    if (misses.rests(peer.source, nowMs)) return { ...alerted('busy', 'too many wrong access keys from this source'), step: 'F3.7' };
    const asked = wire.nocVerify.decode(frame);
    const provision = await store.transaction((tx) => verifyKey({ crypto, entropy, tokenKey, place }, tx, asked, nowMs));
    const { userId } = asked;
    if (provision !== undefined) return { ...answered(wire.nocProvision, provision), step: 'F3.8', userId };
    misses.add(peer.source, nowMs);
    return { ...alerted('authFailed', 'no such access key'), step: 'F3.7', userId };
  };

  /** F3.9, F3.10: M1 to UEM, its M2 back. The session is known here before the app hears of it. */
  const setUp = async ({ bytes }: Job): Promise<NocOutcome> => {
    const { message, linkId } = store.read((view) => setUpToForward({ crypto, tokenKey }, view, bytes, clock.nowMs()));
    const answer = await uem.request('setUp', wire.nocSetUp.encode(message));
    if (answer.status !== 'answered') return { ...passedOn(answer.status), step: 'F3.10' };
    const sessionId = sessionOf(answer.frame);
    if (sessionId !== undefined) await store.transaction((tx) => putNocSession(tx, sessionId, linkId, clock.nowMs()));
    return { answer, told: toldOf(answer.frame), step: 'F3.10' };
  };

  /** F3.10, F3.11: later frames of a session, both ways. */
  const envelope = async ({ frame, bytes }: Job): Promise<NocOutcome> => {
    store.read((view) => requireKnownSession(view, frame, clock.nowMs()));
    const answer = await uem.request('envelopes', bytes);
    if (answer.status !== 'answered') return { ...passedOn(answer.status), step: 'F3.11' };
    return { answer, told: toldOf(answer.frame), step: 'F3.11' };
  };

  /** F3.5, F3.11: what UEM says about its access keys. */
  const accessKey = async ({ frame, peer }: Job): Promise<NocOutcome> => {
    const caller = guard.tenantOf(peer);
    if ('refused' in caller) return alerted('authFailed', caller.refused);
    const { tenantId } = caller;
    const nowMs = clock.nowMs();
    switch (frame.name) {
      case 'nocRegisterKey': {
        const message = wire.nocRegisterKey.decode(frame);
        const keyId = toHex(message.keyId);
        // check: F3.5 a key of the tenant, under the name of no other one's
        const taken = await store.transaction((tx) => {
          if (message.tenantId !== tenantId || !isKeyOf(tx, keyId, tenantId)) return undefined;
          return { fits: registerKey(tx, message, nowMs) };
        });
        if (taken === undefined) return { ...otherTenant('the key'), step: 'F3.5' };
        return { ...(taken.fits ? answered(wire.acknowledgement, { ok: true }) : busy('too many access keys', 60)), step: 'F3.5' };
      }
      case 'nocWithdrawKey': {
        const keyId = toHex(wire.nocWithdrawKey.decode(frame).keyId);
        // check: F3.5 a key of the tenant is withdrawn
        const isOwn = await store.transaction((tx) => {
          if (!isKeyOf(tx, keyId, tenantId)) return false;
          withdrawKey(tx, keyId);
          return true;
        });
        return { ...(isOwn ? answered(wire.acknowledgement, { ok: true }) : otherTenant('the key')), step: 'F3.5' };
      }
      default: {
        const message = wire.nocKeyConsumed.decode(frame);
        const [keyId, linkId] = [toHex(message.keyId), toHex(message.linkId)];
        const isOwn = await store.transaction((tx) => {
          const link = linkById(tx, linkId);
          // check: F3.11 key and link of the tenant
          if (!isKeyOf(tx, keyId, tenantId) || (link !== undefined && link.tenantId !== tenantId)) return false;
          useKey(tx, keyId, linkId);
          // Told again, it brings nothing back that was taken away since.
          if (link?.keyId === keyId && link.status === 'provisional') putLink(tx, { ...link, status: 'active' });
          return true;
        });
        return { ...(isOwn ? answered(wire.acknowledgement, { ok: true }) : otherTenant('the key or the link')), step: 'F3.11' };
      }
    }
  };

  /** F10.2: a link whose app is none of the tenant any more. */
  const linkEnd = async ({ frame, peer }: Job): Promise<NocOutcome> => {
    const caller = guard.tenantOf(peer);
    if ('refused' in caller) return { ...alerted('authFailed', caller.refused), step: 'F10.2' };
    const { keepsCore = false, ...message } = wire.nocEndLink.decode(frame);
    const linkId = toHex(message.linkId);
    const isOwn = await store.transaction((tx) => {
      const link = linkById(tx, linkId);
      // check: F10.2 UEM of the tenant of the link
      if (link !== undefined && link.tenantId !== caller.tenantId) return false;
      if (link !== undefined && keepsCore) {
        forgetPushApp(tx, linkId);
        putLink(tx, { ...link, status: 'coreOnly' });
      } else if (link !== undefined) endLink(tx, link);
      return true;
    });
    if (!isOwn) return { ...otherTenant('the link'), step: 'F10.2' };
    linkEnded(linkId);
    return { ...answered(wire.acknowledgement, { ok: true }), step: 'F10.2' };
  };

  /** F10.3: which Proxies a tenant has, and where its apps may go without one. */
  const tenant = async ({ frame, peer }: Job): Promise<NocOutcome> => {
    const caller = guard.tenantOf(peer);
    if ('refused' in caller) return { ...alerted('authFailed', caller.refused), step: 'F10.3' };
    const message = wire.nocTenant.decode(frame);
    // check: F10.3 UEM speaks for its own tenant
    if (message.tenantId !== caller.tenantId) return { ...otherTenant('what is said'), step: 'F10.3' };
    await store.transaction((tx) => putNocTenant(tx, message));
    return { ...answered(wire.acknowledgement, { ok: true }), step: 'F10.3' };
  };

  /** F10.4: what an application server has sent to a push channel, sealed by a Proxy. */
  const push = async ({ frame, peer }: Job): Promise<NocOutcome> => {
    const proxy = guard.proxyOf(peer);
    if ('refused' in proxy) return { ...alerted('authFailed', proxy.refused), step: 'F10.4' };
    const { channelId, sealed } = wire.pushNotify.decode(frame);
    const offered = { proxyId: proxy.proxyId, channelId: toHex(channelId), sealed };
    const { result, linkId } = await store.transaction((tx) => takePush(tx, offered, clock.nowMs(), pushes.isConnected));
    if (linkId !== undefined) pushes.waits(linkId);
    const outcome = answered(wire.pushNotified, { result });
    return { ...outcome, told: result === 'accepted' ? outcome.told : `${outcome.told} ${result}`, step: 'F10.4' };
  };

  const works: Readonly<Partial<Record<ServiceName, Readonly<Partial<Record<wire.FrameName, (job: Job) => Promise<NocOutcome>>>>>>> = {
    apps: { nocVerify: verify, handshakeStart: setUp, nocEnvelope: envelope },
    tenants: { nocTenant: tenant },
    channels: { pushNotify: push },
    accessKeys: { nocRegisterKey: accessKey, nocWithdrawKey: accessKey, nocKeyConsumed: accessKey, nocEndLink: linkEnd },
  };

  const serve = async (service: ServiceName, bytes: Uint8Array, peer: PeerIdentity): Promise<NocOutcome & { readonly unknown?: true }> => {
    const name = wire.peekFrameName(bytes);
    const frame = frameOf(bytes, bodyBytesOf(service, name), trailerOf(name));
    if (frame === undefined) return { ...malformed('not a frame'), unknown: true };
    const work = works[service]?.[frame.name];
    if (work === undefined) return { ...unexpectedFrame(frame.name), unknown: true };
    try {
      return await work({ frame, bytes, peer });
    } catch (error) {
      if (isProtocolError(error) && error.code === 'ERR_REJECTED_CREDENTIALS') return { ...alerted('authFailed', error.message), step: 'F3.10' };
      return outcomeOf(error);
    }
  };

  return {
    name: 'noc',
    services: ['apps', 'accessKeys', 'tenants', 'channels'],
    async handle({ service, frame, peer }) {
      const receivedMs = clock.nowMs();
      const { answer, told, ...rest } = await serve(service, frame, peer);
      const request = wire.peekFrameName(frame) ?? 'unknown';
      journal.record({ timeMs: clock.nowMs(), role: 'noc', service, request, answer: told, source: peer.source, receivedMs, bytes: frame.length, ...rest });
      return answer;
    },
  };
}

function bodyBytesOf(service: ServiceName, name: wire.FrameName | undefined): number {
  if (service === 'tenants' || service === 'channels') return wire.LIMITS.bodyBytes;
  return name === 'nocEnvelope' ? ENVELOPE_BODY_BYTES : wire.LIMITS.unauthenticatedBodyBytes;
}

/** M1 alone ends with a MAC; what it is about is checked by UEM. */
function trailerOf(name: wire.FrameName | undefined): number {
  return name === 'handshakeStart' ? 32 : 0;
}

function toldOf(frame: Uint8Array): string {
  const name = wire.peekFrameName(frame) ?? 'unknown';
  return name === 'alert' ? `alert ${wire.alert.decode(wire.parseFrame(frame)).code} of UEM` : name;
}

function passedOn(status: 'malformed' | 'busy' | 'failed'): Outcome {
  return status === 'busy' ? busy('UEM is busy') : { answer: { status: 'failed' }, told: '500', reason: `UEM answered ${status}` };
}

function otherTenant(what: string): Outcome {
  return alerted('authFailed', `${what} is of another tenant`);
}

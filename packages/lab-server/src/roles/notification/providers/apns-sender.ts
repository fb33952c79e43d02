import { type Clock, type CryptoProvider, isProtocolError, x509 } from '@uemkit/protocol';
import type { ApnsAccount } from '../push-accounts.ts';
import { bearerOf } from './access-tokens.ts';
import { isSignedBy, readJsonWebToken } from './json-web-token.ts';
import type { ProviderFault, ProviderRequest } from './provider.ts';

/** Names a topic in the certificate of a sender (URI in subjectAltName). */
export function topicUri(topic: string): string {
  return `urn:uemkit:push-topic:${topic}`;
}

/** MDM topics belong to certificates. */
export function isMdmTopic(topic: string): boolean {
  return topic.startsWith('com.apple.mgmt.');
}

/** The topic that a sender may use, or why not, in Apple's words. */
export type ApnsSender = { readonly topic: string } | { readonly status: number; readonly error: string };

/** Finds out who sends to APNs: the certificate of the connection, or else the provider token of the request. */
export interface ApnsSenders {
  senderOf(request: ProviderRequest, fault: ProviderFault | undefined): ApnsSender;
}

/** A provider token is good for an hour and may be renewed after a third of it. */
const TOKEN_LIFE_S = 3_600;
const RENEWAL_MS = 1_200_000;
/** Apple does not publish how many renewals are too many; several processes of one sender each have a token. */
export const MAX_PROVIDER_TOKENS_PER_KEY = 16;
/** Clocks of senders that go a little fast. */
const EARLY_S = 60;

const refused = (status: number, error: string): ApnsSender => ({ status, error });

export function createApnsSenders(options: {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly accounts: readonly ApnsAccount[];
  /** DER of the root of the lab: it issues the certificates of senders. */
  readonly root: Uint8Array;
}): ApnsSenders {
  const { clock, crypto, accounts, root } = options;
  // BOUNDED by the keys of the accounts, and by MAX_PROVIDER_TOKENS_PER_KEY for each.
  const seen = new Map<string, Map<string, number>>();

  // A certificate is verified once per connection. BOUNDED: an entry goes with the connection that holds its bytes.
  const verified = new WeakMap<Uint8Array, { readonly certificate: x509.Certificate; readonly topics: readonly string[] }>();
  const verify = (der: Uint8Array): { readonly certificate: x509.Certificate; readonly topics: readonly string[] } => {
    const certificate = x509.verifyChain(crypto, { certificates: [der], roots: [root], usage: 'clientAuth', nowMs: clock.nowMs() });
    const uris = certificate.purpose.kind === 'leaf' ? certificate.purpose.uris : [];
    const found = { certificate, topics: accounts.map((account) => account.topic).filter((name) => uris.includes(topicUri(name))) };
    verified.set(der, found);
    return found;
  };

  const byCertificate = (der: Uint8Array, topic: string | undefined): ApnsSender => {
    let topics: readonly string[];
    try {
      const known = verified.get(der) ?? verify(der);
      x509.checkValidity(known.certificate, clock.nowMs());
      ({ topics } = known);
    } catch (error) {
      if (isProtocolError(error)) return refused(403, 'BadCertificate');
      throw error;
    }
    if (topics.length === 0) return refused(403, 'BadCertificate');
    const wanted = topic ?? (topics.length === 1 ? topics[0] : undefined);
    if (wanted === undefined) return refused(400, 'MissingTopic');
    return topics.includes(wanted) ? { topic: wanted } : refused(400, 'TopicDisallowed');
  };

  /** True when this key has too many different tokens within the time of one renewal. */
  const isRenewedTooOften = (keyId: string, signature: string): boolean => {
    const known = seen.get(keyId) ?? new Map<string, number>();
    seen.set(keyId, known);
    const nowMs = clock.monotonicMs();
    for (const [name, sinceMs] of known) if (nowMs - sinceMs > RENEWAL_MS) known.delete(name);
    if (known.has(signature)) return false;
    if (known.size >= MAX_PROVIDER_TOKENS_PER_KEY) return true;
    known.set(signature, nowMs);
    return false;
  };

  const byToken = (text: string, topic: string | undefined, fault: ProviderFault | undefined): ApnsSender => {
    const token = readJsonWebToken(text);
    const { iss, iat } = token?.claims ?? {};
    const teams = accounts.flatMap(({ team }) => (team !== undefined && team.teamId === iss ? [team] : []));
    const keys = teams.flatMap((team) => team.keys);
    if (token === undefined || token.keyId === undefined || typeof iat !== 'number' || !isSignedBy(token, keys)) return refused(403, 'InvalidProviderToken');
    const nowS = clock.nowMs() / 1_000;
    if (iat > nowS + EARLY_S) return refused(403, 'InvalidProviderToken');
    if (fault === 'expireAccess' || iat < nowS - TOKEN_LIFE_S) return refused(403, 'ExpiredProviderToken');
    if (isRenewedTooOften(token.keyId, text.slice(text.lastIndexOf('.') + 1))) return refused(429, 'TooManyProviderTokenUpdates');
    if (topic === undefined) return refused(400, 'MissingTopic');
    const account = accounts.find((one) => one.topic === topic && one.team?.teamId === iss);
    return account === undefined ? refused(400, 'TopicDisallowed') : { topic };
  };

  return {
    senderOf({ certificate, headers }, fault) {
      const topic = headers['apns-topic'];
      if (certificate === 'untrusted') return refused(403, 'BadCertificate');
      if (certificate !== undefined) return fault === 'expireAccess' ? refused(403, 'BadCertificate') : byCertificate(certificate, topic);
      const text = bearerOf(headers['authorization']);
      return text === undefined ? refused(403, 'MissingProviderToken') : byToken(text, topic, fault);
    },
  };
}

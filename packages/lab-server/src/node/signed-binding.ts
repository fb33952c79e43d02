import { type Clock, type CryptoProvider, type Entropy, httpSignature, isProtocolError } from '@uemkit/protocol';
import { fromPem, readPrivateKeyPem } from '../data/pem.ts';
import type { Journal, RoleName } from '../roles/role.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

const { EPOCH_BYTES, ReplayMemory } = httpSignature;

export interface SignedBindingOptions {
  readonly role: RoleName;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: Journal;
  /** Key and certificate of the role, PEM: they sign the answers. */
  readonly key: string;
  readonly certificate: string;
  /** Root that device certificates come from, PEM. */
  readonly root: string;
  /** `host:port` as devices are told it (A6). What is signed is this, whatever the request says of itself. */
  address(): string;
  /** What serves a request, once its peer is known. */
  handle(request: HttpRequest): Promise<HttpAnswer | undefined>;
}

/**
 * Device requests that are signed instead of coming over mutual TLS (docs/protocol/11-signatures.md): finds out who signed, refuses what comes twice, and signs the
 * answer. The memory of requests belongs to the listener, so it outlives a restart of the role.
 */
export function signedBinding(options: SignedBindingOptions): (request: HttpRequest) => Promise<HttpAnswer | undefined> {
  const { clock, crypto, entropy, journal } = options;
  const epoch = entropy.randomBytes(EPOCH_BYTES);
  const memory = new ReplayMemory({ epoch });
  const roots = [fromPem('CERTIFICATE', options.root)];
  const certificate = fromPem('CERTIFICATE', options.certificate);
  const { scalar } = readPrivateKeyPem(options.key);
  // The wall clock may be set back, and requests would be new again; this one goes on.
  const [startMs, startedMs] = [clock.nowMs(), clock.monotonicMs()];
  const nowS = (): number => Math.floor((startMs + clock.monotonicMs() - startedMs) / 1_000);

  const refuse = (request: HttpRequest, status: 401 | 503, reason: string): HttpAnswer => {
    const { role } = options;
    journal.record({ timeMs: clock.nowMs(), role, service: request.path, request: 'signature', answer: String(status), source: request.peer.source, reason });
    if (status === 503) return { status, headers: { 'retry-after': '1' } };
    return {
      status,
      headers: { 'www-authenticate': 'uemkit-signature', [httpSignature.CHALLENGE_FIELD]: httpSignature.writeChallenge({ epoch, nowS: nowS() }) },
    };
  };

  const proofOf = ({ path, query, body, headers }: HttpRequest): httpSignature.RequestProof | string => {
    const targetUri = httpSignature.targetUri(options.address(), query === '' ? path : `${path}?${query}`);
    try {
      return httpSignature.verifyRequest(crypto, { targetUri, body, fields: fieldsOf(headers), roots });
    } catch (error) {
      if (isProtocolError(error)) return `${error.code} ${error.message}`;
      throw error;
    }
  };

  const sign = (answer: HttpAnswer, proof: httpSignature.RequestProof): HttpAnswer => {
    const body = answer.body as Uint8Array;
    const prepared = httpSignature.prepareAnswer(crypto, { body, certificate, createdS: nowS(), requestSignature: proof.signature });
    return { ...answer, headers: { ...answer.headers, ...prepared.fields(crypto.p256Sign(scalar, prepared.base)) } };
  };

  return async (request) => {
    const proof = proofOf(request);
    if (typeof proof === 'string') return refuse(request, 401, proof);
    const verdict = memory.take(proof, nowS());
    if (verdict !== 'fresh') return refuse(request, verdict === 'full' ? 503 : 401, `signature: ${verdict}`);
    const answer = await options.handle({ ...request, peer: { kind: 'signature', source: request.peer.source, certificate: proof.certificate } });
    return answer?.status === 200 ? sign(answer, proof) : answer;
  };
}

function fieldsOf(headers: HttpRequest['headers']): httpSignature.ReceivedFields {
  return Object.fromEntries(httpSignature.SIGNATURE_FIELDS.map((name) => [name, String(headers[name] ?? '')]));
}

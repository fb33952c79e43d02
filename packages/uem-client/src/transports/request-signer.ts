import {
  type Clock,
  type CryptoProvider,
  deviceSignatures,
  type Entropy,
  type httpSignature,
  isProtocolError,
  type KeyStore,
  ProtocolError,
} from '@uemkit/protocol';
import type { DeviceIdentity, ExchangeRequest, Trust } from '../transport.ts';
import { servicePath } from './binding.ts';

/** What a device needs to sign its requests. */
export interface SigningPorts {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly keyStore: Pick<KeyStore, 'sign'>;
}

/** A request to the `device` service: it always has an identity. */
export type DeviceRequest = ExchangeRequest & { readonly identity: DeviceIdentity };

/** A signature that was made for one request. */
export interface RequestSignature {
  readonly fields: httpSignature.SignatureFields;
  /** r||s; the answer is bound to it. */
  readonly signature: Uint8Array;
}

/** The server's time, as told at a moment of the monotonic clock: the wall clock of the device need not be right. */
interface Told extends httpSignature.Challenge {
  readonly atMs: number;
}

/** Signs the requests of one device and holds answers to be UEM's (docs/protocol/11-signatures.md). */
export class RequestSigner {
  readonly #ports: SigningPorts;
  #told: Told | undefined;

  constructor(ports: SigningPorts) {
    this.#ports = ports;
  }

  /** A fresh signature; the same frame may be signed any number of times. */
  async sign({ address, service, frame, identity }: DeviceRequest): Promise<RequestSignature> {
    const { crypto, entropy, keyStore } = this.#ports;
    const [certificate] = identity.certificates;
    if (certificate === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an identity without a certificate signs nothing');
    const prepared = deviceSignatures.prepareRequest(crypto, {
      targetUri: deviceSignatures.targetUri(address, servicePath(service)),
      body: frame,
      certificate,
      createdS: this.#nowS(),
      epoch: this.#told?.epoch ?? new Uint8Array(deviceSignatures.epochBytes),
      random: entropy.randomBytes(deviceSignatures.nonceRandomBytes),
    });
    const signature = await keyStore.sign(identity.keyId, prepared.base);
    return { fields: prepared.fields(signature), signature };
  }

  /** Takes the challenge of an answer 401; false when there is none. */
  learn(challenge: string | null): boolean {
    if (challenge === null) return false;
    try {
      this.#told = { ...deviceSignatures.readChallenge(challenge), atMs: this.#ports.clock.monotonicMs() };
      return true;
    } catch (error) {
      if (isProtocolError(error)) return false;
      throw error;
    }
  }

  /**
   * Nothing of an answer counts before this.
   * @throws ProtocolError `ERR_TRANSPORT_TLS`: it is not UEM's answer to this request
   */
  check(answer: { readonly body: Uint8Array; readonly headers: Headers }, { signature }: RequestSignature, trust: Trust): void {
    const { crypto, clock } = this.#ports;
    const roots = trust.roots === 'platform' ? [] : trust.roots;
    const fields = Object.fromEntries(deviceSignatures.fields.map((name) => [name, answer.headers.get(name) ?? undefined]));
    try {
      deviceSignatures.verifyAnswer(crypto, { body: answer.body, fields, requestSignature: signature, roots, nowMs: clock.nowMs() });
    } catch (cause) {
      throw new ProtocolError('ERR_TRANSPORT_TLS', 'the answer is not signed by UEM', { cause });
    }
  }

  #nowS(): number {
    const { clock } = this.#ports;
    const told = this.#told;
    return told === undefined ? Math.floor(clock.nowMs() / 1_000) : told.nowS + Math.floor((clock.monotonicMs() - told.atMs) / 1_000);
  }
}

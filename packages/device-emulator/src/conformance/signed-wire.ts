import { httpSignature, isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceKey } from './device-key.ts';
import type { EnrolledDevice } from './enrolled-device.ts';
import { FRAME_MEDIA_TYPE, seenOf } from './frames.ts';
import type { WireResponse } from './http-wire.ts';
import { demand, Mismatch } from './mismatch.ts';
import type { Subject } from './subject.ts';

const PATH = '/uemkit/1/device';
const POLL = wire.poll.encode({ reason: 'request' });

/** What is wrong with a signed request, if anything. */
export interface SignatureWish {
  /** In place of what was signed. */
  readonly sent?: Uint8Array;
  /** Seconds since 1970; the server's time unless set. */
  readonly createdS?: number;
  /** `host:port` that the signature is for. */
  readonly address?: string;
  readonly certificate?: Uint8Array;
  readonly signer?: DeviceKey;
  readonly epoch?: Uint8Array;
}

/** A request with its signature, to be sent as often as a case likes. */
export interface SignedPost {
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** r||s */
  readonly signature: Uint8Array;
}

/** One device at the listener for signed requests (11). */
export class SignedWire {
  readonly #subject: Subject;
  readonly #device: EnrolledDevice;
  readonly #address: string;
  /** Of the last answer 401. */
  challenge: httpSignature.Challenge = { epoch: new Uint8Array(httpSignature.EPOCH_BYTES), nowS: 0 };

  private constructor(subject: Subject, device: EnrolledDevice, address: string) {
    this.#subject = subject;
    this.#device = device;
    this.#address = address;
  }

  /** For an enrolled device, with the challenge of this server; undefined: A6 names no such listener, which a server need not have. */
  static async open(subject: Subject, device: EnrolledDevice): Promise<SignedWire | undefined> {
    const address = device.details.configuration.signedDeviceAddress;
    if (address === undefined) return undefined;
    const signed = new SignedWire(subject, device, address);
    await signed.refused(await signed.send({ fields: {}, body: POLL }), 'without a signature');
    return signed;
  }

  /** A poll, signed. */
  prepare(wish: SignatureWish = {}): SignedPost {
    const { crypto, entropy } = this.#subject;
    const { certificate = this.#device.certificate, address = this.#address, createdS = this.challenge.nowS, epoch = this.challenge.epoch } = wish;
    const random = entropy.randomBytes(httpSignature.NONCE_RANDOM_BYTES);
    const targetUri = httpSignature.targetUri(address, PATH);
    const prepared = httpSignature.prepareRequest(crypto, { targetUri, body: POLL, certificate, createdS, epoch, random });
    const signature = (wish.signer ?? this.#device.key).sign(prepared.base);
    return { fields: { ...prepared.fields(signature) }, body: wish.sent ?? POLL, signature };
  }

  send({ fields, body }: Pick<SignedPost, 'fields' | 'body'>): Promise<WireResponse | undefined> {
    return this.#subject.http.request({ address: this.#address, path: PATH, headers: { 'content-type': FRAME_MEDIA_TYPE, ...fields }, body });
  }

  /** Takes the challenge of an answer that has to be 401 (11.5). @throws Mismatch */
  async refused(answer: WireResponse | undefined, when: string): Promise<void> {
    demand(answer?.status === 401, `HTTP status 401 ${when}`, seenOf(answer));
    try {
      this.challenge = httpSignature.readChallenge(String(answer.headers[httpSignature.CHALLENGE_FIELD]));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      throw new Mismatch('uemkit-challenge with 401', String(answer.headers[httpSignature.CHALLENGE_FIELD]));
    }
  }

  /** @throws Mismatch unless the answer is UEM's, to this very request (11.6) */
  verify(answer: WireResponse | undefined, { signature }: SignedPost): void {
    const { crypto, clock } = this.#subject;
    const fields = Object.fromEntries(httpSignature.SIGNATURE_FIELDS.map((name) => [name, String(answer?.headers[name] ?? '')]));
    const { tenantRoots: roots } = this.#device.details;
    try {
      httpSignature.verifyAnswer(crypto, { body: answer?.body ?? new Uint8Array(), fields, requestSignature: signature, roots, nowMs: clock.nowMs() });
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      throw new Mismatch('an answer that UEM has signed for this request', error.code);
    }
  }
}

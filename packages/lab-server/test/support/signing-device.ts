import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { httpSignature } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import type { LabDevice } from './lab-device.ts';
import { ask, type PlainAnswer } from './raw-client.ts';

const crypto = nodeCrypto();
export const POLL: Uint8Array = wire.poll.encode({ reason: 'schedule' });

/** What a test changes in a signed request. */
export interface Changes extends Partial<httpSignature.RequestToSign> {
  /** Sent in place of what was signed. */
  readonly sent?: Uint8Array;
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

/** A device that signs its requests by hand. */
export class SigningDevice {
  epoch: Uint8Array = new Uint8Array(8);
  #count = 0;
  readonly #device: LabDevice;
  readonly #ca: string;
  readonly #nowMs: () => number;

  constructor(device: LabDevice, ca: string, nowMs: () => number = Date.now) {
    this.#device = device;
    this.#ca = ca;
    this.#nowMs = nowMs;
  }

  get address(): string {
    return this.#device.details?.configuration.signedDeviceAddress ?? '';
  }

  /** The fields of a signed request, and its signature. */
  sign(changes: Changes = {}): { readonly headers: Record<string, string>; readonly body: Uint8Array; readonly signature: Uint8Array } {
    const prepared = httpSignature.prepareRequest(crypto, {
      targetUri: httpSignature.targetUri(this.address, '/uemkit/1/device'),
      body: POLL,
      certificate: this.#device.certificate,
      createdS: Math.floor(this.#nowMs() / 1_000),
      epoch: this.epoch,
      random: new Uint8Array(16).fill(++this.#count),
      ...changes,
    });
    const signature = crypto.p256Sign(this.#device.scalar, prepared.base);
    const headers = { 'content-type': 'application/vnd.uemkit.frame', ...prepared.fields(signature), ...changes.headers };
    return { headers, body: changes.sent ?? changes.body ?? POLL, signature };
  }

  send(request: { readonly headers: Record<string, string>; readonly body: Uint8Array }, query = ''): Promise<PlainAnswer> {
    // Node would look for the name in the field `host`, which a test may change.
    const identity = { checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity('127.0.0.1', certificate) };
    return ask(`https://${this.address}/uemkit/1/device${query}`, { ca: this.#ca, method: 'POST', ...identity, ...request });
  }

  /** Takes the challenge, as the first 401 gives it. */
  async greet(): Promise<httpSignature.Challenge> {
    const { headers } = await this.send({ headers: {}, body: new Uint8Array() });
    const challenge = httpSignature.readChallenge(String(headers['uemkit-challenge']));
    this.epoch = challenge.epoch;
    return challenge;
  }
}

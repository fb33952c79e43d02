import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';

/** Bounded: certificates that one process meets; the oldest goes first. */
const MAX_KNOWN = 64;

/** What Node tells of a certificate of the other side: its DER and the SHA-256 of that. */
export type SeenCertificate = Pick<PeerCertificate, 'raw' | 'fingerprint256'>;

/** Key pins of the servers that one process meets: all devices of a fleet meet the same few, and to read a key out of a certificate costs 0.4 ms. */
export class KeyPins {
  readonly #known: Map<string, Buffer> = new Map();

  /** Whether the key of the certificate is one of these (SHA-256 of its SubjectPublicKeyInfo, as in RFC 7469, 2.4). */
  has(pins: readonly Uint8Array[], certificate: SeenCertificate): boolean {
    const pin = this.#pinOf(certificate);
    return pins.some((candidate) => candidate.length === pin.length && timingSafeEqual(candidate, pin));
  }

  #pinOf({ raw, fingerprint256 }: SeenCertificate): Buffer {
    const known = this.#known.get(fingerprint256);
    if (known !== undefined) return known;
    const spki = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
    const pin = createHash('sha256').update(spki).digest();
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(fingerprint256, pin);
    return pin;
  }
}

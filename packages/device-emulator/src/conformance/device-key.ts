import { type CryptoProvider, type Entropy, keySchedule, x509 } from '@uemkit/protocol';
import { privateKeyPem } from '@uemkit/uem-client';

/** The key of one device of a case, with everything that can be done with it, wrong things included. */
export class DeviceKey {
  readonly publicKey: Uint8Array;
  readonly #crypto: CryptoProvider;
  readonly #scalar: Uint8Array;

  constructor(crypto: CryptoProvider, entropy: Entropy) {
    this.#crypto = crypto;
    this.#scalar = keySchedule.randomScalar(entropy);
    this.publicKey = crypto.p256PublicKey(this.#scalar);
  }

  /** PKCS#8, for TLS. Danger: this is the private key. */
  get pem(): string {
    return privateKeyPem(this.#scalar, this.publicKey);
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#crypto.p256Sign(this.#scalar, message);
  }

  /** PKCS#10 for this key. `signer` is another key only where the signature has to be wrong. */
  request(options: { readonly challengePassword?: string; readonly commonName?: string; readonly signer?: DeviceKey } = {}): Uint8Array {
    const { challengePassword, commonName = 'conformance', signer = this } = options;
    const info = x509.certificationRequestInfo({ publicKey: this.publicKey, commonName, challengePassword });
    return x509.certificationRequest(info, signer.sign(info));
  }
}

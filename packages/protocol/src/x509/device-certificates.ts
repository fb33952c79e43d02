import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type IssuedQuestion, verifyIssued } from './chain.ts';
import { certificationRequest, certificationRequestInfo } from './csr.ts';

/** Subject of requests; the server issues for the device id that it chooses. */
const REQUEST_NAME = 'uemkit device';

/** What a device needs of X.509: requests for its key, and a check of what it gets. */
export interface DeviceX509 {
  /** CertificationRequestInfo in DER, the bytes that the device key signs. */
  requestInfo(publicKey: Uint8Array, challengePassword?: string): Uint8Array;
  /** The whole request in DER; `signature` is r||s. */
  request(requestInfo: Uint8Array, signature: Uint8Array): Uint8Array;
  /** @throws ProtocolError `ERR_CERTIFICATE_*` */
  checkIssued(question: IssuedQuestion): void;
}

/** X.509 of a device over a crypto provider. */
export function deviceX509(crypto: CryptoProvider): DeviceX509 {
  return {
    requestInfo: (publicKey, challengePassword) => certificationRequestInfo({ publicKey, commonName: REQUEST_NAME, challengePassword }),
    request: certificationRequest,
    checkIssued(question) {
      verifyIssued(crypto, question);
    },
  };
}

import { ProtocolError } from '../../errors/protocol-error.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import { readCertificate } from '../../x509/certificate-reader.ts';
import { deviceIdOf } from '../../x509/chain.ts';
import { publicKeyInfo } from '../../x509/identifiers.ts';
import type { IdentifiedClient } from './hand-over-types.ts';

/**
 * The device of a chain, leaf first, as its certificate says. The chain is not checked: an app that knows no roots yet trusts it on first use and compares it with its
 * provisioning data later (docs/protocol/04-access-key.md, 4.7).
 * @throws ProtocolError `ERR_CERTIFICATE_FORMAT`, `ERR_CERTIFICATE_CHAIN`
 */
export function clientOfCertificates(crypto: CryptoProvider, [leaf]: readonly Uint8Array[]): IdentifiedClient {
  if (leaf === undefined) throw new ProtocolError('ERR_CERTIFICATE_CHAIN', 'the UEM Client shows no certificate');
  const certificate = readCertificate(leaf);
  const deviceId = deviceIdOf(certificate);
  if (deviceId === undefined) throw new ProtocolError('ERR_CERTIFICATE_CHAIN', 'the certificate of the UEM Client names no device');
  const { publicKey } = certificate;
  return { publicKey, device: { deviceId, deviceKeyHash: crypto.sha256(publicKeyInfo(publicKey)) } };
}

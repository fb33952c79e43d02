import { type CryptoProvider, type Entropy, toHex, x509 } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { WriteView } from '../../store/lab-store.ts';
import { alerted, answered } from '../role-answers.ts';
import type { KnownDevice } from './device-peer.ts';
import { grantAppKey } from './grant-app-key.ts';
import type { ServiceOutcome } from './service-outcome.ts';

/** What became of a request; `keyId` (hex) when there is a key that the NOC has to hear of before the answer leaves. */
export interface ForwardedKey {
  readonly outcome: ServiceOutcome;
  readonly keyId?: string | undefined;
}

/**
 * 0x51 of a UEM Client (F3.4): an access key for an app on its device. The device is that of the certificate.
 * @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_MISMATCH`, `ERR_PEER_REPLAY`
 */
export function forwardAccessKey(
  ports: { readonly crypto: CryptoProvider; readonly entropy: Entropy },
  tx: WriteView,
  frame: wire.Frame,
  { device, certificate }: KnownDevice,
  nowMs: number,
): ForwardedKey {
  const { userGuid, userId, deviceId } = device;
  const deviceKeyHash = toHex(ports.crypto.sha256(x509.publicKeyInfo(x509.readCertificate(certificate.der).publicKey)));
  const granted = grantAppKey(ports, tx, wire.accessKeyForward.decode(frame), { userGuid, userId, deviceId, deviceKeyHash }, nowMs);
  if ('refused' in granted) return { outcome: { ...alerted('authFailed', granted.refused), step: 'F3.4' } };
  return { outcome: { ...answered(wire.accessKeyResponse, granted.response), step: 'F3.5' }, keyId: granted.keyId };
}

import { ProtocolError } from '../../errors/protocol-error.ts';
import { type ActivationDone, activationDone } from '../../wire/activation.ts';
import { acknowledgement } from '../../wire/discovery.ts';
import { parseFrame } from '../../wire/frame.ts';
import { LIMITS } from '../../wire/limits.ts';

/** Answer to A7. */
export interface ActivationDoneAnswer {
  readonly done: ActivationDone;
  /** The acknowledgement; to be sent when the device counts durably. A second A7 gets it again. */
  readonly frame: Uint8Array;
}

/**
 * Reads A7 (F1.5). `certificateDeviceId` is the id in the certificate of mutual TLS, the only identity that counts.
 * @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_MISMATCH`
 */
export function answerActivationDone(bytes: Uint8Array, certificateDeviceId: string): ActivationDoneAnswer {
  const done = activationDone.decode(parseFrame(bytes, { maxBodyBytes: LIMITS.unauthenticatedBodyBytes }));
  // check: F1.5 device id of the certificate
  if (done.deviceId !== certificateDeviceId) throw new ProtocolError('ERR_PEER_MISMATCH', 'the device confirms for another device', { step: 'F1.5' });
  // check: F1.5 reason of a failed configuration
  if (done.status === 'failed' && done.message === undefined) throw new ProtocolError('ERR_WIRE_FIELD', 'a failed activation says why', { step: 'F1.5' });
  return { done, frame: acknowledgement.encode({ ok: true }) };
}

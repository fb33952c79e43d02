import { type ActivationSecret, canonicalUserId, fromBase64url, isProtocolError, ProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { ask, type ClientContext } from '../ask.ts';
import type { ActivationCredentials, PasswordCredentials } from '../credentials.ts';
import type { Trust } from '../transport.ts';

/** Where and with what the device is activated. */
export interface ActivationTarget {
  readonly address: string;
  readonly trust: Trust;
}

/**
 * Checks what the user typed or scanned (F1.2b).
 * @throws `ERR_USAGE_ARGUMENT` at F1.2
 */
export function secretOf(credentials: ActivationCredentials): ActivationSecret {
  try {
    if (credentials.kind === 'qr') return { kind: 'qr', code: wire.qrCode.decode(wire.decodeCbor(fromBase64url(credentials.content)), 'qrCode') };
    return { kind: 'password', userId: canonicalUserId(credentials.userId), password: credentials.password, slot: credentials.slot };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    // Never the content: it holds the secret.
    const message = credentials.kind === 'qr' ? 'this is not the content of an activation QR code' : error.message;
    throw new ProtocolError('ERR_USAGE_ARGUMENT', message, { step: 'F1.2' });
  }
}

/** User id in its canonical form. */
export function userIdOf(secret: ActivationSecret): string {
  return canonicalUserId(secret.kind === 'qr' ? secret.code.userId : secret.userId);
}

/** A QR code names the activation listener and pins its key, so nobody is asked (F1.3). */
export function targetOfQrCode(code: wire.QrCode): ActivationTarget {
  return { address: code.host, trust: { roots: [], spkiPins: [code.spkiPin] } };
}

/**
 * Asks the Infrastructure for the UEM address of the user (F1.3).
 * @throws ProtocolError at F1.3
 */
export async function discover(
  context: ClientContext,
  infrastructure: PasswordCredentials['infrastructure'],
  userId: string,
  signal: AbortSignal,
): Promise<ActivationTarget> {
  const { address, trust } = infrastructure;
  const frame = wire.discoveryRequest.encode({ versions: [wire.PROTOCOL_VERSION], userId });
  const request = { peer: 'infrastructure', step: 'F1.3', answerStep: 'F1.3', service: 'discovery', address, trust, frame, signal } as const;
  const found = await ask(context, request, wire.discoveryResponse, hintOfAlert);
  if (found.version !== wire.PROTOCOL_VERSION)
    throw new ProtocolError('ERR_PEER_MISMATCH', 'the Infrastructure chose a version that was not offered', { step: 'F1.3' });
  // The pins come over a connection that the given trust covers, and add to it; the roots stay.
  return { address: found.activationAddress, trust: { roots: trust.roots, spkiPins: found.spkiPins } };
}

/** Nobody is authenticated yet, so an alert ends the attempt and is no verdict. */
function hintOfAlert(code: wire.AlertCode): ProtocolError {
  if (code === 'busy') return new ProtocolError('ERR_REJECTED_BUSY', 'the Infrastructure is busy');
  return new ProtocolError('ERR_PEER_ALERT', 'the Infrastructure ended the exchange', { details: { alert: code } });
}

import { malformed, readBytesItem, writeBytes } from './structured-field.ts';

/** Field of an answer 401: what the next signature has to be made with. */
export const CHALLENGE_FIELD = 'uemkit-challenge';
export const EPOCH_BYTES = 8;

/** What a verifier tells a signer. */
export interface Challenge {
  /** Random for each start of the verifier: signatures from before it are of no use. */
  readonly epoch: Uint8Array;
  /** The verifier's time: the signer's own clock need not be right. */
  readonly nowS: number;
}

export function writeChallenge({ epoch, nowS }: Challenge): string {
  return `${writeBytes(epoch)};now=${nowS}`;
}

/** @throws ProtocolError `ERR_WIRE_FIELD`, `ERR_WIRE_LIMIT` */
export function readChallenge(text: string): Challenge {
  const { value, parameters } = readBytesItem(CHALLENGE_FIELD, text);
  const nowS = parameters.get('now');
  if (value.length !== EPOCH_BYTES || typeof nowS !== 'number' || parameters.size !== 1) throw malformed(CHALLENGE_FIELD);
  return { epoch: value, nowS };
}

import { fromBase64url, isProtocolError } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { decodeQRBatch } from 'qr/decode.js';
import { readPicture } from './picture.ts';
import { scanError } from './scan-problem.ts';

/** Time that the decoder may spend on hard pictures, so that the outcome does not depend on how busy the machine is. */
const PATIENCE_MS = 10_000;

/**
 * Scans the picture of an activation QR code (F1.2): gives the content, for `activate`.
 * @throws ProtocolError at F1.2, `ERR_USAGE_ARGUMENT` or `ERR_REJECTED_EXPIRED`; `details.picture` says what is wrong (`ScanProblem`)
 */
export async function scanActivationQrCode(png: Uint8Array, nowMs: number): Promise<string> {
  const contents = await qrCodesIn(png);
  const [content, ...others] = contents;
  if (content === undefined) throw scanError('noQrCode');
  if (others.length > 0) throw scanError('severalQrCodes');
  if (codeOf(content).expiryEpochS * 1_000 <= nowMs) throw scanError('expiredQrCode');
  return content;
}

/** Contents of all QR codes in a picture. */
async function qrCodesIn(png: Uint8Array): Promise<readonly string[]> {
  const { width, height, data } = readPicture(png);
  const [found = []] = await decodeQRBatch([{ width, height, data }], { maxSize: { width, height }, format: 'RGBA', timeLimit: PATIENCE_MS });
  return found.filter((result): result is string => typeof result === 'string');
}

function codeOf(content: string): wire.QrCode {
  try {
    return wire.qrCode.decode(wire.decodeCbor(fromBase64url(content)), 'qrCode');
  } catch (error) {
    if (isProtocolError(error)) throw scanError('foreignQrCode');
    throw error;
  }
}

import { PNG } from 'pngjs';
import { scanError } from './scan-problem.ts';

/** Pixels as a camera gives them. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel. */
  readonly data: Uint8Array;
}

/** File of a picture that is scanned. */
export const MAX_PICTURE_BYTES = 1_048_576;
/** Pixels of a picture, looked at before anything is unpacked: a few bytes of PNG can stand for gigabytes. */
export const MAX_PICTURE_PIXELS = 4_194_304;

const SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Signature, length and name of the first chunk, width and height. */
const HEAD_BYTES = 24;

/**
 * Reads a PNG (ISO/IEC 15948).
 * @throws ProtocolError at F1.2 with `details.picture` `notPng`, `pictureTooLarge`, `damagedPicture`
 */
export function readPicture(png: Uint8Array): Picture {
  if (png.length > MAX_PICTURE_BYTES) throw scanError('pictureTooLarge');
  if (!SIGNATURE.every((byte, index) => png[index] === byte)) throw scanError('notPng');
  if (png.length < HEAD_BYTES) throw scanError('damagedPicture');
  const head = new DataView(png.buffer, png.byteOffset);
  const [width, height] = [head.getUint32(16), head.getUint32(20)];
  if (width * height > MAX_PICTURE_PIXELS) throw scanError('pictureTooLarge');
  try {
    const { data } = PNG.sync.read(Buffer.from(png), { checkCRC: true });
    if (data.length === width * height * 4) return { width, height, data: onWhite(data) };
  } catch {
    // Whatever a library says of a damaged picture.
  }
  throw scanError('damagedPicture');
}

/** Transparent parts are seen as the white page under them. */
function onWhite(data: Uint8Array): Uint8Array {
  for (let pixel = 0; pixel < data.length; pixel += 4) {
    const alpha = data[pixel + 3] as number;
    if (alpha === 255) continue;
    for (let colour = pixel; colour < pixel + 3; colour++) data[colour] = Math.round((((data[colour] as number) - 255) * alpha) / 255 + 255);
    data[pixel + 3] = 255;
  }
  return data;
}

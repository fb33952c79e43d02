import PostalMime from 'postal-mime';
import { scanError } from './scan-problem.ts';

/** Bounds of a mail that is opened. */
const MAX_MAIL_BYTES = 1_048_576;
const MAX_NESTING = 8;
const MAX_HEAD_BYTES = 65_536;

/**
 * The picture that a mail shows, as PNG (F1.2).
 * @throws ProtocolError at F1.2 with `details.picture` `damagedMail` or `noPicture`
 */
export async function pictureInMail(source: Uint8Array): Promise<Uint8Array> {
  if (source.length > MAX_MAIL_BYTES) throw scanError('damagedMail');
  let pictures: readonly Uint8Array[];
  try {
    const mail = await PostalMime.parse(source, { maxNestingDepth: MAX_NESTING, maxHeadersSize: MAX_HEAD_BYTES, attachmentEncoding: 'arraybuffer' });
    pictures = mail.attachments.flatMap(({ mimeType, content }) => (mimeType === 'image/png' && typeof content !== 'string' ? [new Uint8Array(content)] : []));
  } catch {
    throw scanError('damagedMail');
  }
  const [picture] = pictures;
  if (picture === undefined) throw scanError('noPicture');
  return picture;
}

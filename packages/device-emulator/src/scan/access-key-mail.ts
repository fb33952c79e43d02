import { ProtocolError } from '@uemkit/protocol';
import PostalMime from 'postal-mime';

const MAX_MAIL_BYTES = 1_048_576;
/** As people read it: three groups of five (docs/protocol 4.3). */
const ACCESS_KEY = /\b[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}\b/;

/** The access key that stands in a mail (F3.5). @throws ProtocolError `ERR_USAGE_ARGUMENT` at F3.7 when there is none */
export async function accessKeyInMail(source: Uint8Array): Promise<string> {
  const refused = (cause?: unknown): ProtocolError => new ProtocolError('ERR_USAGE_ARGUMENT', 'there is no access key in the mail', { step: 'F3.7', cause });
  if (source.length > MAX_MAIL_BYTES) throw refused();
  const mail = await PostalMime.parse(source, { maxNestingDepth: 8, maxHeadersSize: 65_536 }).catch((cause: unknown) => {
    throw refused(cause);
  });
  const [key] = ACCESS_KEY.exec(mail.text ?? '') ?? [];
  if (key === undefined) throw refused();
  return key;
}

import { concatBytes, lp, utf8 } from '../bytes/bytes.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import { type AppDocument, encodeAppDocument } from '../wire/app-update.ts';
import { HASH_LABELS, labelBytes } from './labels.ts';

/** What app and UEM know one version of a document of the app by (docs/protocol/04-access-key.md, 4.9). @throws ProtocolError `ERR_WIRE_*` */
export function appDocumentHash(crypto: CryptoProvider, document: AppDocument): Uint8Array {
  return crypto.sha256(concatBytes(lp(labelBytes(HASH_LABELS.appDocument)), lp(utf8(document.name)), lp(encodeAppDocument(document))));
}

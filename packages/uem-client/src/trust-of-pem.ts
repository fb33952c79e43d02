import { ProtocolError } from '@uemkit/protocol';
import type { Trust } from './transport.ts';

const BLOCK = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/g;

/**
 * Trust in the roots of a PEM text, for example of a connection file.
 * @throws `ERR_USAGE_ARGUMENT` when there is no certificate in it
 */
export function trustOfPem(pem: string): Trust {
  const roots: Uint8Array[] = [];
  for (const [, base64 = ''] of pem.matchAll(BLOCK)) {
    try {
      roots.push(Uint8Array.from(atob(base64.replace(/\s+/g, '')), (character) => character.charCodeAt(0)));
    } catch (cause) {
      throw new ProtocolError('ERR_USAGE_ARGUMENT', 'a certificate in the PEM text is not base64', { cause });
    }
  }
  if (roots.length === 0) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'there is no certificate in the PEM text');
  return { roots, spkiPins: [] };
}

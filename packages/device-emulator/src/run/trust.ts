import { X509Certificate } from 'node:crypto';
import type { Trust } from '@uemkit/uem-client';
import type { Connection } from '../admin/connection-file.ts';

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The roots of a connection file as devices take them. */
export function trustOf({ ca }: Pick<Connection, 'ca'>): Trust {
  const roots = (ca.match(PEM_BLOCK) ?? []).map((pem) => new Uint8Array(new X509Certificate(pem).raw));
  return { roots, spkiPins: [] };
}

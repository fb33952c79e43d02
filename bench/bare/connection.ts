import type { PemIdentity } from './certificates.ts';

/** First line of `bare/server.ts`. */
export interface BareConnection {
  readonly https: string;
  readonly mutual: string;
  readonly push: string;
  /** TLS 1.3 without HTTP: `frames.ts`. */
  readonly stream: string;
  readonly ca: string;
  readonly clients: readonly PemIdentity[];
}

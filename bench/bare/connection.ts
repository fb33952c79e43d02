import type { PemIdentity } from './certificates.ts';

/** First line of `bare/server.ts`. */
export interface BareConnection {
  readonly https: string;
  readonly mutual: string;
  readonly push: string;
  readonly ca: string;
  readonly clients: readonly PemIdentity[];
}

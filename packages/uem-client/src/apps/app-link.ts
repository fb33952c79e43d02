import type { StreamLink } from '@uemkit/protocol';

/** One app that has connected to the UEM Client: whole frames and records both ways, see `handshakeStream`. */
export interface AppLink extends StreamLink {
  /** Ends the connection; what was sent before still arrives. Does nothing the second time. Must not throw. */
  close(): void;
}

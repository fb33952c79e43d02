import type { SecretBytes } from '../../bytes/secret.ts';
import type { ServicePrologue } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { HandshakeStart } from '../../wire/handshake.ts';
import type { ForegroundOption, ServiceError } from '../../wire/service.ts';
import type { HandshakePeer } from '../handshake/handshake-types.ts';
import type { TransitionListener } from '../table.ts';

/** A file that goes with a message. */
export interface ServiceFile {
  /** 1 to 255 bytes; no path: what stands in it is for the receiver to judge. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What both a request and a reply carry. */
export interface ServiceContent {
  /** JSON, at most 49,152 bytes in UTF-8; absent: none. */
  readonly params?: string | undefined;
  /** At most 16, of 8 MiB together. */
  readonly attachments: readonly ServiceFile[];
  readonly foreground: ForegroundOption;
}

/** One app asks another one for a service. */
export interface ServiceCall extends ServiceContent {
  readonly serviceId: string;
  readonly version: string;
  readonly method: string;
}

/** What comes back. */
export type ServiceAnswer = { readonly type: 'reply'; readonly content: ServiceContent } | { readonly type: 'error'; readonly error: ServiceError };

interface RoleOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly onTransition?: TransitionListener | undefined;
}

export interface ServiceInitiatorOptions extends RoleOptions {
  readonly prologue: ServicePrologue;
  /** Of this pair of installations; stays with the caller, who wipes it. */
  readonly psk: SecretBytes<'psk'>;
  readonly call: ServiceCall;
  /** From M1 to the whole answer, milliseconds; at most, and unless set, `LIMITS.serviceMs`. */
  readonly runMs?: number | undefined;
}

export type ServiceResponderOptions = RoleOptions;

/** What the offering side asks of its owner. */
export type ServiceToDo =
  /** Whose M1 is it? Without `peer` nobody with it is known; `failed` with `ERR_REJECTED_BUSY` tells the app to come again. */
  | { readonly type: 'identify'; readonly start: HandshakeStart }
  /** Does what the app asks for; the app is the one of M1. `failed` ends the session with an alert. */
  | { readonly type: 'serve'; readonly call: ServiceCall };

export type ServiceDone =
  | { readonly type: 'identified'; readonly peer?: HandshakePeer | undefined }
  | { readonly type: 'served'; readonly answer: ServiceAnswer };

import type { SecretBytes } from '../../bytes/secret.ts';
import type { PrologueInputs } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { CbcOpener, CbcSealer } from '../../record/cbc-record.ts';
import type { GcmOpener, GcmSealer } from '../../record/gcm-record.ts';
import type { HandshakeName, HandshakeStart } from '../../wire/handshake.ts';
import type { TransitionListener } from '../table.ts';

/** Records of a session, both directions: the sealer for what we send, the opener for what comes. */
export type SessionRecords =
  | { readonly kind: 'cbc'; readonly sealer: CbcSealer; readonly opener: CbcOpener }
  | { readonly kind: 'gcm'; readonly sealer: GcmSealer; readonly opener: GcmOpener }
  /** The data goes on in the TLS connection below. */
  | { readonly kind: 'none' };

/** How a handshake ends well. */
export interface HandshakeSession {
  readonly name: HandshakeName;
  readonly sessionId: Uint8Array;
  readonly records: SessionRecords;
  /** Reserved for applications. */
  readonly exporter: SecretBytes<'exporter'>;
  /** M1 as sent or received: who the initiator is. */
  readonly start: HandshakeStart;
  /** Initiator of `ipc`: chain of the responder, leaf first. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** Responder of `sc`: plaintext of the record in M3. */
  readonly finishContent?: Uint8Array | undefined;
  /** Initiator of `sc`: the traffic secret of what it receives, 32 bytes, so that a record that comes after a crash can be opened. */
  readonly answerTraffic?: SecretBytes<'traffic'> | undefined;
  /** Ends the session: wipes its keys. */
  wipe(): void;
}

/** An instance with its prologue. */
export type HandshakeBinding = { readonly [N in HandshakeName]: { readonly name: N; readonly prologue: PrologueInputs[N] } }[HandshakeName];

interface RoleOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly limits?: { readonly handshakeMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

export interface HandshakeInitiatorOptions extends RoleOptions {
  readonly binding: HandshakeBinding;
  /** Fields of M1 that the instance has, see `HANDSHAKES[name].startFields`. */
  readonly start: Pick<HandshakeStart, 'pskId' | 'userId' | 'appId' | 'instanceId'>;
  readonly psk?: SecretBytes<'psk'> | undefined;
  readonly responderStaticKey?: Uint8Array | undefined;
  /** `sc` only: plaintext of the record in M3. */
  readonly finishContent?: Uint8Array | undefined;
  /**
   * `ipc` only: checks the chain and gives the key of the leaf.
   * @throws ProtocolError `ERR_CERTIFICATE_*`
   */
  identifyResponder?(certificates: readonly Uint8Array[]): Uint8Array;
}

export interface HandshakeResponderOptions extends RoleOptions {
  readonly name: HandshakeName;
  /** `ipc` only: own chain, leaf first. */
  readonly certificates?: readonly Uint8Array[] | undefined;
}

/** What the responder role asks of its driver. */
export type HandshakeRequest =
  /** Who is it, and which keys belong to it? M1 is not authenticated yet. A `failed` answer with `ERR_REJECTED_BUSY` becomes a busy alert. */
  | { readonly type: 'identify'; readonly start: HandshakeStart }
  /** `ipc` only: signature of the device identity key. */
  | { readonly type: 'sign'; readonly message: Uint8Array };

export type HandshakeRequestResult =
  /** Without `peer` nobody with this M1 is known: the run fails as with a wrong key. */
  { readonly type: 'identified'; readonly peer?: HandshakePeer | undefined } | { readonly type: 'signed'; readonly signature: Uint8Array };

/** What the responder knows about an initiator. */
export interface HandshakePeer {
  readonly binding: HandshakeBinding;
  readonly psk?: SecretBytes<'psk'> | undefined;
  readonly staticScalar?: SecretBytes<'static-scalar'> | undefined;
}

/** For the counters of the owner (crypto design 14.4). */
export type HandshakeEvent = { readonly type: 'proofFailed'; readonly message: 'M1' | 'M3' };

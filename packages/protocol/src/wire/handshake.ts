import { certificates, id16, point65, random32, suite, suites, userIdText, version, versions } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { bytes, oneOf, optional, required, structure, text } from './schema.ts';

/** The instances of the handshake core (docs/protocol/03-handshake.md). */
export type HandshakeName = 'ipc' | 'ipcd' | 'sc' | 'link' | 'px' | 'dc' | 'svc';

/** M1. Which optional fields an instance has is checked by its machine. Trailer: mac1 with a psk, else none. */
export interface HandshakeStart {
  readonly versions: readonly number[];
  readonly suites: readonly number[];
  readonly ephemeralKey: Uint8Array;
  /** The salt of F3.9 in `sc`. */
  readonly random: Uint8Array;
  /** The token of F3.9 in `sc`; the session key id in `px`, `dc`; the link id in `link`; the instance id of the responder in `svc`. */
  readonly pskId?: Uint8Array | undefined;
  readonly userId?: string | undefined;
  readonly appId?: string | undefined;
  readonly instanceId?: Uint8Array | undefined;
  readonly instance: HandshakeName;
}

export const handshakeStart: MessageCodec<HandshakeStart> = message(
  'handshakeStart',
  structure<HandshakeStart>({
    versions: required(0, versions),
    suites: required(1, suites),
    ephemeralKey: required(2, point65),
    random: required(3, random32),
    pskId: optional(4, bytes(1, 128)),
    userId: optional(5, userIdText),
    appId: optional(6, text()),
    instanceId: optional(7, id16),
    instance: required(8, oneOf<HandshakeName>('ipc', 'ipcd', 'sc', 'link', 'px', 'dc', 'svc')),
  }),
);

/** M2. Trailer: signature in `ipc`, then mac2. */
export interface HandshakeReply {
  readonly version: number;
  readonly suite: number;
  readonly ephemeralKey: Uint8Array;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  /** `ipc` only: chain of the device identity key, leaf first. */
  readonly certificates?: readonly Uint8Array[] | undefined;
}

export const handshakeReply: MessageCodec<HandshakeReply> = message(
  'handshakeReply',
  structure<HandshakeReply>({
    version: required(0, version),
    suite: required(1, suite),
    ephemeralKey: required(2, point65),
    random: required(3, random32),
    sessionId: required(4, id16),
    certificates: optional(5, certificates),
  }),
);

/** M3. Trailer: mac3. */
export interface HandshakeFinish {
  /** `sc` only: record with the provisioning request, sequence number 0. */
  readonly record?: Uint8Array | undefined;
  readonly sessionId: Uint8Array;
}

export const handshakeFinish: MessageCodec<HandshakeFinish> = message(
  'handshakeFinish',
  structure<HandshakeFinish>({
    record: optional(0, bytes(1, LIMITS.certificateBodyBytes - 64)),
    sessionId: required(1, id16),
  }),
);

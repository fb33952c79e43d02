import { concatBytes, sameBytes } from '../bytes/bytes.ts';
import { type SecretBytes, wipe } from '../bytes/secret.ts';
import { ProtocolError } from '../errors/protocol-error.ts';
import type { CryptoProvider } from '../ports/crypto-provider.ts';
import type { HandshakeName } from '../wire/handshake.ts';
import { HANDSHAKES, type HandshakeInstance, SIGNATURE_BYTES } from './handshake-instances.ts';
import { binderMac, earlySecret, type HandshakeKeys, initiatorFinishedMac, nextSecret, responderFinishedMac, trafficKeys } from './handshake-secrets.ts';
import { HASH_LABELS, labelBytes } from './labels.ts';
import { requireUncompressedPoint } from './public-key.ts';
import { mix, startTranscript } from './transcript.ts';

/** What one side knows before the first message. Which of the keys are needed says the table `HANDSHAKES`. */
export type HandshakeSecrets = InitiatorSecrets | ResponderSecrets;

export interface InitiatorSecrets {
  readonly role: 'initiator';
  /** Stays with the caller. */
  readonly psk?: SecretBytes<'psk'> | undefined;
  /** The responder's public key, 65 bytes. */
  readonly responderStaticKey?: Uint8Array | undefined;
}

export interface ResponderSecrets {
  readonly role: 'responder';
  /** Stays with the caller. */
  readonly psk?: SecretBytes<'psk'> | undefined;
  /** The responder's own private scalar. Stays with the caller. */
  readonly staticScalar?: SecretBytes<'static-scalar'> | undefined;
}

/** The ephemeral keys of one run. */
export interface EphemeralKeys {
  /** Wiped by `agree`. */
  readonly scalar: SecretBytes<'ephemeral-scalar'>;
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
}

/**
 * Transcript and secrets of one run of the handshake core, the same code for both roles and all seven instances.
 * The order is start, agree, reply, finish; each step either seals (own message) or opens (the peer's), and `keys` come out
 * after the reply for the initiator, after the finish for the responder. Any failure ends the run and wipes its secrets.
 * A call out of order throws `ERR_USAGE_STATE`.
 */
export interface HandshakeSchedule {
  readonly instance: HandshakeInstance;
  /** Initiator: M1 with mac1, where the instance has one. */
  sealStart(core: Uint8Array): Uint8Array;
  /** Responder: checks mac1. @throws ProtocolError `ERR_CRYPTO_KEY_CONFIRMATION` */
  openStart(core: Uint8Array, trailer: Uint8Array): void;
  /** Both, when both ephemeral keys are known. @throws ProtocolError `ERR_CRYPTO_PUBLIC_KEY` for a key off the curve or the own one sent back. */
  agree(keys: EphemeralKeys): void;
  /** Responder of `ipc`: the bytes that the device identity key signs for this M2. */
  replySignatureText(core: Uint8Array): Uint8Array;
  /** Responder: M2 with signature, where the instance has one, and mac2. */
  sealReply(core: Uint8Array, signature?: Uint8Array): Uint8Array;
  /**
   * Initiator: checks mac2, then the signature under `signerKey` (the key of the leaf certificate, `ipc` only).
   * @throws ProtocolError `ERR_CRYPTO_KEY_CONFIRMATION`, `ERR_CRYPTO_SIGNATURE`
   */
  openReply(core: Uint8Array, trailer: Uint8Array, signerKey?: Uint8Array): void;
  /** Initiator: M3 with mac3. */
  sealFinish(core: Uint8Array): Uint8Array;
  /** Responder: checks mac3. @throws ProtocolError `ERR_CRYPTO_KEY_CONFIRMATION` */
  openFinish(core: Uint8Array, trailer: Uint8Array): void;
  /** The session's keys, once: they belong to the caller from then on. */
  takeKeys(): HandshakeKeys;
  /** Forgets everything; for a run that is given up. */
  wipe(): void;
}

/**
 * Starts a run.
 * @param prologue made by `prologueParts`
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when keys are missing that the instance needs, or given that it does not have.
 */
export function createHandshakeSchedule(
  crypto: CryptoProvider,
  name: HandshakeName,
  prologue: readonly Uint8Array[],
  secrets: HandshakeSecrets,
): HandshakeSchedule {
  return new Schedule(crypto, HANDSHAKES[name], prologue, secrets);
}

/** Text under the signature of `ipc`, in the form of RFC 8446, 4.4.3, over the transcript h2 after the core of M2. */
export function ipcSignatureText(h2: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(64).fill(0x20), labelBytes(HASH_LABELS.ipcSignature), Uint8Array.of(0), h2);
}

const NO_SIGNATURE: Uint8Array = new Uint8Array(0);

type Phase = 'new' | 'started' | 'agreed' | 'replied' | 'finished' | 'ended';

class Schedule implements HandshakeSchedule {
  readonly instance: HandshakeInstance;
  private readonly crypto: CryptoProvider;
  private readonly secrets: HandshakeSecrets;
  private phase: Phase = 'new';
  private hash: Uint8Array;
  private readonly early: SecretBytes<'early'>;
  private handshake: SecretBytes<'handshake'> | undefined;
  private keys: HandshakeKeys | undefined;

  constructor(crypto: CryptoProvider, instance: HandshakeInstance, prologue: readonly Uint8Array[], secrets: HandshakeSecrets) {
    const staticKey = secrets.role === 'initiator' ? secrets.responderStaticKey : secrets.staticScalar;
    if (instance.psk !== (secrets.psk !== undefined) || instance.staticKey !== (staticKey !== undefined)) {
      throw new ProtocolError('ERR_USAGE_ARGUMENT', `the keys do not fit handshake ${instance.name}`);
    }
    if (prologue.length !== instance.prologue.length) throw new ProtocolError('ERR_USAGE_ARGUMENT', `the prologue does not fit handshake ${instance.name}`);
    this.crypto = crypto;
    this.instance = instance;
    this.secrets = secrets;
    this.hash = startTranscript(crypto, `hs ${instance.name}`, prologue);
    this.early = earlySecret(crypto, secrets.psk);
  }

  sealStart(core: Uint8Array): Uint8Array {
    return this.step('initiator', 'new', 'started', () => concatBytes(core, this.mixStart(core)));
  }

  openStart(core: Uint8Array, trailer: Uint8Array): void {
    this.step('responder', 'new', 'started', () => this.confirm(this.mixStart(core), trailer));
  }

  agree(keys: EphemeralKeys): void {
    this.step(this.secrets.role, 'started', 'agreed', () => {
      try {
        this.handshake = this.agreed(keys);
      } finally {
        wipe(keys.scalar);
      }
    });
  }

  replySignatureText(core: Uint8Array): Uint8Array {
    return this.step('responder', 'agreed', 'agreed', () => ipcSignatureText(mix(this.crypto, this.hash, core)));
  }

  sealReply(core: Uint8Array, signature?: Uint8Array): Uint8Array {
    return this.step('responder', 'agreed', 'replied', () => {
      const signed = signature ?? NO_SIGNATURE;
      if (signed.length !== (this.instance.signature ? SIGNATURE_BYTES : 0))
        throw new ProtocolError('ERR_USAGE_ARGUMENT', 'signature does not fit the handshake');
      return concatBytes(core, signed, this.mixReply(core, signed));
    });
  }

  openReply(core: Uint8Array, trailer: Uint8Array, signerKey?: Uint8Array): void {
    this.step('initiator', 'agreed', 'replied', () => {
      if (!this.instance.signature) {
        this.confirm(this.mixReply(core, NO_SIGNATURE), trailer);
        return;
      }
      const signature = trailer.subarray(0, SIGNATURE_BYTES);
      const text = ipcSignatureText(mix(this.crypto, this.hash, core));
      this.confirm(this.mixReply(core, signature), trailer.subarray(SIGNATURE_BYTES));
      // check: HC signer is known
      if (signerKey === undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the signer of the handshake is not given');
      // check: HC signature of M2
      if (!this.crypto.p256Verify(signerKey, text, signature)) throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'signature of the handshake does not verify');
    });
  }

  sealFinish(core: Uint8Array): Uint8Array {
    return this.step('initiator', 'replied', 'finished', () => concatBytes(core, this.mixFinish(core)));
  }

  openFinish(core: Uint8Array, trailer: Uint8Array): void {
    this.step('responder', 'replied', 'finished', () => this.confirm(this.mixFinish(core), trailer));
  }

  takeKeys(): HandshakeKeys {
    const keys = this.keys;
    const ready = this.phase === 'finished' || (this.phase === 'replied' && this.secrets.role === 'initiator');
    if (!ready || keys === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the handshake has no keys to give');
    this.keys = undefined;
    return keys;
  }

  wipe(): void {
    wipe(this.early, this.handshake, this.keys?.initiatorTraffic, this.keys?.responderTraffic, this.keys?.exporter);
    this.keys = undefined;
    this.phase = 'ended';
  }

  private step<T>(role: HandshakeSecrets['role'], from: Phase, to: Phase, work: () => T): T {
    if (this.phase !== from || this.secrets.role !== role) throw new ProtocolError('ERR_USAGE_STATE', 'step of the handshake out of order');
    try {
      const result = work();
      this.phase = to;
      return result;
    } catch (error) {
      this.wipe();
      throw error;
    }
  }

  private mix(bytes: Uint8Array): void {
    this.hash = mix(this.crypto, this.hash, bytes);
  }

  private mixStart(core: Uint8Array): Uint8Array {
    const h0 = this.hash;
    this.mix(core);
    if (!this.instance.psk) return new Uint8Array(0);
    const mac1 = binderMac(this.crypto, this.early, h0, this.hash);
    this.mix(mac1);
    return mac1;
  }

  private mixReply(core: Uint8Array, signature: Uint8Array): Uint8Array {
    const handshake = this.handshake as SecretBytes<'handshake'>;
    this.mix(core);
    if (this.instance.signature) this.mix(signature);
    const mac2 = responderFinishedMac(this.crypto, handshake, this.hash);
    this.mix(mac2);
    this.keys = trafficKeys(this.crypto, handshake, this.hash);
    return mac2;
  }

  private mixFinish(core: Uint8Array): Uint8Array {
    const handshake = this.handshake as SecretBytes<'handshake'>;
    this.mix(core);
    const mac3 = initiatorFinishedMac(this.crypto, handshake, this.hash);
    wipe(handshake);
    return mac3;
  }

  private confirm(expected: Uint8Array, received: Uint8Array): void {
    // check: HC mac1, mac2, mac3
    if (!this.crypto.equal(expected, received)) throw new ProtocolError('ERR_CRYPTO_KEY_CONFIRMATION', 'the handshake is not confirmed');
  }

  private agreed({ scalar, own, peer }: EphemeralKeys): SecretBytes<'handshake'> {
    // check: HC form of the ephemeral key
    requireUncompressedPoint(peer);
    // check: HC reflected key
    if (sameBytes(own, peer)) throw new ProtocolError('ERR_CRYPTO_PUBLIC_KEY', 'the peer sent our own key back');
    const staticAgreed = this.staticAgreement(scalar, peer);
    const from = staticAgreed === undefined ? this.early : nextSecret(this.crypto, this.early, staticAgreed);
    return nextSecret(this.crypto, from, this.crypto.p256Ecdh(scalar, peer));
  }

  /** ECDH(e_i, s_r), each role with the half that it has. */
  private staticAgreement(scalar: Uint8Array, peer: Uint8Array): Uint8Array | undefined {
    if (this.secrets.role === 'responder') {
      return this.secrets.staticScalar === undefined ? undefined : this.crypto.p256Ecdh(this.secrets.staticScalar, peer);
    }
    const { responderStaticKey } = this.secrets;
    if (responderStaticKey === undefined) return undefined;
    // check: HC form of the static key
    requireUncompressedPoint(responderStaticKey);
    return this.crypto.p256Ecdh(scalar, responderStaticKey);
  }
}

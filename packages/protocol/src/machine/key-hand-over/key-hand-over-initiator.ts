import { sameBytes } from '../../bytes/bytes.ts';
import { isProtocolError, ProtocolError } from '../../errors/protocol-error.ts';
import { requireAccessKey } from '../../key-schedule/access-key.ts';
import { requireCanonicalUserId } from '../../key-schedule/user-id.ts';
import { type AccessKeyResponse, accessKeyRequest, accessKeyResponse } from '../../wire/access-key.ts';
import { alert } from '../../wire/alert.ts';
import type { Frame } from '../../wire/frame.ts';
import { LIMITS } from '../../wire/limits.ts';
import { newAppActivation, writeAppActivation } from '../app-activation/app-activation-record.ts';
import { arm, cancel, persist } from '../effects.ts';
import { handshakeAlertError } from '../handshake/handshake-fields.ts';
import { type HandshakeInitiator, handshakeInitiator } from '../handshake/handshake-initiator.ts';
import { type CbcSession, handshakeEffects, innerFrame, takeSecret } from '../handshake/inner-handshake.ts';
import type { Effect, Input, Machine } from '../machine.ts';
import { StateCell } from '../table.ts';
import type { IdentifiedClient, KeyHandOverInitiatorOptions, KeyHandOverOutput } from './hand-over-types.ts';
import { KEY_HAND_OVER_INITIATOR_TRANSITIONS, type KeyHandOverInitiatorState } from './transitions.ts';

/** The app that asks for an access key on its device. It asks its driver for nothing. */
export type KeyHandOverInitiator = Machine<never, never, never, KeyHandOverOutput>;

type AppEffect = Effect<never, never, KeyHandOverOutput>;

/** Timer of both roles: the whole run. */
export const KEY_HAND_OVER_TIMER = 'deadline';

/**
 * The app in F3.3 and F3.6: `ipc` with the UEM Client, or `ipcd` with an activated sibling app, then 0x50 and 0x52 in CBC records, each one whole frame of the link.
 * It ends with an activation that is saved before the end is told, so that no crash asks for a second key.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT` when ids do not fit their fields.
 */
export function keyHandOverInitiator(options: KeyHandOverInitiatorOptions): KeyHandOverInitiator {
  return new InitiatorRole(options);
}

class InitiatorRole implements KeyHandOverInitiator {
  readonly #options: KeyHandOverInitiatorOptions;
  readonly #cell: StateCell<KeyHandOverInitiatorState>;
  readonly #handshake: HandshakeInitiator;
  readonly #nonce: Uint8Array;
  #session: CbcSession | undefined;
  #client: IdentifiedClient | undefined;

  constructor(options: KeyHandOverInitiatorOptions) {
    const { crypto, entropy, channel, peers, appId, instanceId, onTransition } = options;
    this.#options = options;
    this.#cell = new StateCell(KEY_HAND_OVER_INITIATOR_TRANSITIONS, 'keyHandOverInitiator', 'new', onTransition);
    this.#nonce = entropy.randomBytes(32);
    this.#handshake = handshakeInitiator({
      crypto,
      entropy,
      binding: { name: channel.name, prologue: peers },
      start: { appId, instanceId },
      ...(channel.name === 'ipc' ? { identifyResponder: (certificates) => this.#identify(channel.identifyClient(certificates)) } : {}),
      onTransition,
    });
  }

  get state(): KeyHandOverInitiatorState {
    return this.#cell.state;
  }

  handle(input: Input<never>, nowMs: number): readonly AppEffect[] {
    if (this.state === 'finished' || this.state === 'failed') return [];
    try {
      switch (input.type) {
        case 'start':
          return this.#begin(nowMs);
        case 'received':
          if (this.state === 'awaitingReply') return this.#replied(input.frame, nowMs);
          return this.state === 'awaitingKey' ? this.#handedOver(input.frame, nowMs) : [];
        case 'timer':
          // check: F3.6 deadline of the app
          throw new ProtocolError('ERR_PEER_TIMEOUT', 'the access key takes too long');
        case 'closed':
          throw input.error ?? new ProtocolError('ERR_TRANSPORT_CLOSED', 'the channel closed before the access key came');
        default:
          return [];
      }
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return this.#fail(error);
    }
  }

  #identify(client: IdentifiedClient): Uint8Array {
    this.#client = client;
    return client.publicKey;
  }

  #begin(nowMs: number): readonly AppEffect[] {
    const { sent } = handshakeEffects(this.#handshake.handle({ type: 'start' }, nowMs));
    this.#cell.take('start');
    return [arm(KEY_HAND_OVER_TIMER, this.#options.limits?.runMs ?? LIMITS.keyHandOverMs), ...sent];
  }

  /** M3 and 0x50 (F3.3). */
  #replied(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const { appId, instanceId } = this.#options;
    const { sent, session, error } = handshakeEffects(this.#handshake.handle({ type: 'received', frame: bytes }, nowMs));
    if (error !== undefined) return [...sent, ...this.#fail(error)];
    this.#session = session as CbcSession;
    const frame = this.#session.records.sealer.seal(accessKeyRequest.encode({ appId, instanceId, nonce: this.#nonce }), nowMs);
    const { step } = this.#cell.take('M2');
    return [...sent, { type: 'send', frame, step }];
  }

  /** 0x52 (F3.6). */
  #handedOver(bytes: Uint8Array, nowMs: number): readonly AppEffect[] {
    const frame = innerFrame((this.#session as CbcSession).records.opener, bytes, nowMs);
    if (frame.name === 'alert') throw refusalError(frame);
    const { accessKey, keyId, nonce, expiryEpochS, userId } = this.#checked(takeSecret(accessKeyResponse, frame), nowMs);
    const { appId, instanceId } = this.#options;
    const record = newAppActivation({ userId, appId, instanceId, device: this.#client?.device, key: { kind: 'assisted', accessKey, nonce } });
    this.#session?.wipe();
    this.#cell.take('0x52');
    return [cancel(KEY_HAND_OVER_TIMER), persist(writeAppActivation(record)), { type: 'done', output: { record, keyId, expiryEpochS } }];
  }

  #checked(response: AccessKeyResponse, nowMs: number): AccessKeyResponse {
    // check: F3.6 nonce echo
    if (!sameBytes(response.nonce, this.#nonce)) throw new ProtocolError('ERR_PEER_MISMATCH', 'the access key is for another request');
    // check: F3.6 form of the access key
    requireAccessKey(response.accessKey);
    // check: F3.6 canonical user id
    requireCanonicalUserId(response.userId);
    // check: F3.6 expiry of the access key
    if (nowMs / 1000 >= response.expiryEpochS) throw new ProtocolError('ERR_REJECTED_EXPIRED', 'the access key is out of date');
    return response;
  }

  #fail(error: ProtocolError): readonly AppEffect[] {
    // check: F3.3 secrets of an unfinished handshake of the app
    this.#handshake.handle({ type: 'closed' }, 0);
    this.#session?.wipe();
    const { step } = this.#cell.take('failure');
    return [cancel(KEY_HAND_OVER_TIMER), { type: 'fail', error: error.at(step) }];
  }
}

/** Why there is no key, as the other end says in a record. */
function refusalError(frame: Frame): ProtocolError {
  // check: F3.6 the user's word
  if (alert.decode(frame).code === 'declined') return new ProtocolError('ERR_REJECTED_CONSENT', 'the user does not want this app to get a key');
  return handshakeAlertError(frame);
}

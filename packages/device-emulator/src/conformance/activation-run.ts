import { type CryptoProvider, type Entropy, keySchedule, record, secret } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { DeviceKey } from './device-key.ts';
import { messageOf } from './frames.ts';
import type { WireResponse } from './http-wire.ts';
import { demand, Mismatch } from './mismatch.ts';
import type { PasswordSecret, QrSecret } from './set-up.ts';

export const DEVICE_INFO: wire.DeviceInfo = { platform: 'android-enterprise', osVersion: '16', model: 'Conformance', clientVersion: '1.0' };

export interface RunPorts {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** One frame to the activation service. */
  post(frame: Uint8Array): Promise<WireResponse | undefined>;
}

/** What is wrong with an A5, if anything. */
export interface RequestWish {
  readonly confirmP?: Uint8Array;
  /** In place of a right certificate request. */
  readonly csr?: (right: { readonly challengePassword: string; readonly key: DeviceKey }) => Uint8Array;
  /** Sealed as if the server had sent it. */
  readonly reflected?: boolean;
  /** Activation types that the device says that it can take. */
  readonly activationTypes?: readonly string[];
}

/** What both ends have after A4. */
interface Agreed {
  readonly confirmP: Uint8Array;
  readonly keys: keySchedule.ActivationKeys;
}

/** The device's half of one activation, message by message: a case sends what it wants, when it wants. */
export class ActivationRun {
  readonly key: DeviceKey;
  /** Devices that the server has made for this run. */
  // BOUNDED by the A6 that one case opens.
  readonly deviceIds: string[] = [];
  readonly #ports: RunPorts;
  readonly #secret: PasswordSecret | QrSecret;
  #start: Uint8Array = new Uint8Array(0);
  #transcript: Uint8Array = new Uint8Array(0);
  #parameters: wire.ActivationParameters | undefined;
  #witness: keySchedule.Spake2Witness | undefined;
  #scalar: ReturnType<typeof keySchedule.randomScalar<'spake2-scalar'>> | undefined;
  #shareFrame: Uint8Array = new Uint8Array(0);
  #agreed: Agreed | undefined;

  constructor(ports: RunPorts, credentials: PasswordSecret | QrSecret, key: DeviceKey = new DeviceKey(ports.crypto, ports.entropy)) {
    this.#ports = ports;
    this.#secret = credentials;
    this.key = key;
  }

  get userId(): string {
    return this.#secret.userId;
  }

  get parameters(): wire.ActivationParameters {
    return this.#parameters as wire.ActivationParameters;
  }

  /** A1 of this device. */
  startFrame(change: Partial<wire.ActivationStart> = {}): Uint8Array {
    const { userId, kind } = this.#secret;
    const random = this.#ports.entropy.randomBytes(32);
    const versions = [wire.PROTOCOL_VERSION];
    return wire.activationStart.encode({ versions, suites: [wire.SUITE_P256], userId, random, deviceInfo: DEVICE_INFO, secretKind: kind, ...change });
  }

  /** A1 and A2. `believed` is the A1 that the device thinks it has sent, when somebody on the way has changed it. */
  async start(frame: Uint8Array = this.startFrame(), believed: Uint8Array = frame): Promise<wire.ActivationParameters> {
    const answer = await this.#ports.post(frame);
    this.#parameters = messageOf(answer, wire.activationParameters);
    this.#start = believed;
    this.#transcript = keySchedule.activationTranscript(this.#ports.crypto, believed, (answer as WireResponse).body);
    return this.#parameters;
  }

  /** A3 with the share of a device that knows its secret. */
  async shareFrame(): Promise<Uint8Array> {
    const { crypto, entropy } = this.#ports;
    this.#witness = await this.#stretched();
    this.#scalar = keySchedule.randomScalar<'spake2-scalar'>(entropy);
    // The agreement wipes its scalar, and a case may want the share again.
    const shareP = keySchedule.proverShare(crypto, this.#witness.w0, this.#scalar);
    this.#shareFrame = wire.activationShare.encode({ activationId: this.parameters.activationId, shareP });
    return this.#shareFrame;
  }

  /** A3 of somebody who knows nothing: a share that fits no secret. */
  blindShareFrame(shareP: Uint8Array = new DeviceKey(this.#ports.crypto, this.#ports.entropy).publicKey): Uint8Array {
    return wire.activationShare.encode({ activationId: this.parameters.activationId, shareP });
  }

  /** A3 whose share leads to the identity at the server, for whoever knows w0. */
  async identityShareFrame(): Promise<Uint8Array> {
    const { w0 } = await this.#stretched();
    return this.blindShareFrame(this.#ports.crypto.p256Multiply(w0, keySchedule.SPAKE2_M));
  }

  /** A3 and A4; true when the server has proved that it knows the secret. */
  async share(): Promise<boolean> {
    const answer = await this.#ports.post(await this.shareFrame());
    return this.take(answer);
  }

  /** Takes an A4 that came for the last `shareFrame`. */
  take(answer: WireResponse | undefined): boolean {
    const { crypto } = this.#ports;
    const { shareV, confirmV } = messageOf(answer, wire.activationShareReply);
    const { shareP } = wire.activationShare.decode(wire.parseFrame(this.#shareFrame));
    const identities = keySchedule.activationIdentities({ userId: this.#secret.userId, coreId: this.parameters.coreId }, this.#transcript);
    const witness = this.#witness as keySchedule.Spake2Witness;
    const scalar = secret<'spake2-scalar'>((this.#scalar as Uint8Array).slice());
    const agreed = keySchedule.proverSecrets(crypto, identities, witness, scalar, { shareP, shareV });
    const proved = crypto.equal(agreed.confirmV, confirmV);
    const keys = keySchedule.activationKeys(crypto, this.#transcript, this.#shareFrame, (answer as WireResponse).body, agreed.sharedKey);
    this.#agreed = { confirmP: agreed.confirmP, keys };
    return proved;
  }

  /** A5. Without an A4 before it, one with keys of nobody. */
  requestFrame({ confirmP, csr, reflected = false, activationTypes }: RequestWish = {}): Uint8Array {
    const { crypto, entropy } = this.#ports;
    const { keys, confirmP: right } = this.#agreed ?? { keys: undefined, confirmP: entropy.randomBytes(32) };
    const challengePassword = keys === undefined ? 'A'.repeat(43) : keySchedule.possessionChallenge(keys.possession);
    const content = csr?.({ challengePassword, key: this.key }) ?? this.key.request({ challengePassword });
    const traffic = (reflected ? keys?.responderTraffic : keys?.initiatorTraffic) ?? secret<'traffic'>(entropy.randomBytes(32));
    const direction = reflected ? 'responder-to-initiator' : 'initiator-to-responder';
    const sealer = record.createCbcSealer(crypto, entropy, { traffic, direction, bornMs: 0 });
    const sealed = sealer.seal(wire.activationRequestContent.encodeBody({ csr: content, activationTypes }), 0);
    return wire.activationRequest.encode({ activationId: this.parameters.activationId, confirmP: confirmP ?? right, record: sealed });
  }

  /** The device in an A6. @throws Mismatch when there is none */
  open(answer: WireResponse | undefined): wire.ActivationDetails {
    const outcome = this.outcome(answer);
    if (wire.isActivationRefused(outcome)) throw new Mismatch('a device in A6', `refusal ${outcome.refusal}`);
    return outcome;
  }

  /** What stands in an A6. @throws Mismatch when it is none, or not sealed for this run */
  outcome(answer: WireResponse | undefined): wire.ActivationOutcome {
    const result = messageOf(answer, wire.activationResult);
    const { keys } = this.#agreed as Agreed;
    const opener = record.createCbcOpener(this.#ports.crypto, { traffic: keys.responderTraffic, direction: 'responder-to-initiator', bornMs: 0 });
    const outcome = wire.decodeActivationOutcome(opener.open(result.record, 0));
    if (!wire.isActivationRefused(outcome)) this.deviceIds.push(outcome.deviceId);
    return outcome;
  }

  post(frame: Uint8Array): Promise<WireResponse | undefined> {
    return this.#ports.post(frame);
  }

  /** A1 to A4 of a device that knows its secret. */
  async prove(): Promise<this> {
    await this.start();
    demand(await this.share(), 'confirmV that proves the secret', 'another confirmV');
    return this;
  }

  /** A1 to A6. */
  async details(): Promise<wire.ActivationDetails> {
    await this.prove();
    return this.open(await this.post(this.requestFrame()));
  }

  /** Ends the run at the server, if it has begun: no A5 is right without an A4. */
  async abandon(): Promise<void> {
    if (this.#parameters === undefined) return;
    this.#agreed = undefined;
    await this.post(this.requestFrame());
  }

  async #stretched(): Promise<keySchedule.Spake2Witness> {
    const { crypto } = this.#ports;
    const { coreId, salt, cost } = this.parameters;
    const identity = { userId: this.#secret.userId, coreId };
    const bytes =
      this.#secret.kind === 'qr'
        ? keySchedule.stretchQrSecret(crypto, this.#secret.code.secret, identity, salt)
        : await this.#stretchPassword(this.#secret.password, identity, salt, cost);
    return keySchedule.witnessFromStretched(bytes) as keySchedule.Spake2Witness;
  }

  #stretchPassword(password: string, identity: keySchedule.ActivationIdentity, salt: Uint8Array, cost: readonly number[]): Promise<Uint8Array> {
    const stretch = keySchedule.passwordStretch(password, identity, salt, keySchedule.requireScryptCost(cost));
    return this.#ports.crypto.scrypt(stretch.password, stretch.salt, stretch.cost, stretch.lengthBytes);
  }
}

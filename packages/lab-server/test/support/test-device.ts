import {
  type ActivationInitiator,
  type ActivationOutput,
  type ActivationRequestResult,
  type ActivationRequestToDriver,
  type ActivationSecret,
  activationInitiator,
  canonicalUserId,
  fromHex,
  type Input,
  type PeerIdentity,
  type ProtocolError,
  toHex,
  x509,
} from '@uemkit/protocol';
import { seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import type { RoleAnswer } from '../../src/roles/role.ts';
import { crypto, frameIn, type UemBench } from './uem-bench.ts';

const INFO: wire.DeviceInfo = { platform: 'android-enterprise', osVersion: '14', model: 'Emulator', clientVersion: '1.0' };

/** What a run shows its test before it is sent. Returning false: the frame is lost. */
export type OnSend = (name: wire.FrameName, frame: Uint8Array) => boolean;

/** A device over the protocol's own machines, without the client package: key, certificate, frames. */
export class TestDevice {
  readonly source: string;
  readonly scalar: Uint8Array;
  readonly publicKey: Uint8Array;
  details: wire.ActivationDetails | undefined;
  /** Last frames as sent, by name. */
  readonly sent = new Map<wire.FrameName, Uint8Array>();
  /** Frames of the activation listener, in their order. */
  readonly answered: Uint8Array[] = [];
  private readonly uem: UemBench;
  private readonly certificates = x509.deviceX509(crypto);
  private peers = new Map<string, PeerIdentity>();
  private runs = 0;

  constructor(uem: UemBench, name = 'device') {
    this.uem = uem;
    this.source = `source of ${name}`;
    this.scalar = seededEntropy(`device ${name}`).randomBytes(32);
    this.publicKey = crypto.p256PublicKey(this.scalar);
  }

  get deviceId(): string {
    if (this.details === undefined) throw new Error('the device has no A6 yet');
    return this.details.deviceId;
  }

  get certificate(): Uint8Array {
    return this.details?.certificates[0] as Uint8Array;
  }

  /** The same peer object for each request with one certificate, as on one connection. */
  peer(certificate: Uint8Array = this.certificate): PeerIdentity {
    const key = toHex(certificate);
    const known = this.peers.get(key) ?? { kind: 'certificate', source: this.source, certificate };
    this.peers.set(key, known);
    return known;
  }

  /** Runs F1 from A1 to its end, or until a frame is lost. */
  async activate(
    secret: ActivationSecret,
    options: { readonly onSend?: OnSend; readonly failure?: string } = {},
  ): Promise<ActivationOutput | ProtocolError | 'lost'> {
    const { onSend = () => true, failure } = options;
    const userId = canonicalUserId(secret.kind === 'qr' ? secret.code.userId : secret.userId);
    const machine: ActivationInitiator = activationInitiator({
      crypto,
      entropy: seededEntropy(`${this.source} run ${this.runs++}`),
      certificates: this.certificates,
      deviceInfo: this.info,
      activationTypes: this.activationTypes,
      secret,
      record: { phase: 'started', userId, keyId: 'key' },
    });
    const inputs: Input<ActivationRequestResult>[] = [{ type: 'start' }];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of machine.handle(input, this.uem.clock.nowMs())) {
        if (effect.type === 'emit' && effect.event.type === 'certificateReceived') this.details = effect.event.details;
        if (effect.type === 'request') inputs.push({ type: 'result', result: await this.answer(effect.request, failure) });
        if (effect.type === 'done') return effect.output;
        if (effect.type === 'fail') return effect.error;
        if (effect.type !== 'send') continue;
        const name = wire.peekFrameName(effect.frame) as wire.FrameName;
        this.sent.set(name, effect.frame);
        if (!onSend(name, effect.frame)) return 'lost';
        inputs.push(received(await this.carry(name, effect.frame)));
      }
    }
    throw new Error('the activation stopped');
  }

  /** What the user says to a notice of the organisation, and the notices shown. */
  agrees = true;
  readonly notices: string[] = [];
  info = INFO;
  activationTypes: readonly string[] | undefined;

  private async carry(name: wire.FrameName, frame: Uint8Array): Promise<RoleAnswer> {
    if (name === 'activationDone') return this.uem.ask('device', frame, this.peer());
    const answer = await this.uem.ask('activation', frame, { kind: 'anonymous', source: this.source });
    if (answer.status === 'answered') this.answered.push(answer.frame);
    return answer;
  }

  private async answer(request: ActivationRequestToDriver, failure: string | undefined): Promise<ActivationRequestResult> {
    switch (request.type) {
      case 'publicKey':
        return { type: 'publicKey', publicKey: this.publicKey };
      case 'stretch': {
        const { password, salt, cost, lengthBytes } = request.stretch;
        return { type: 'stretched', bytes: await crypto.scrypt(password, salt, cost, lengthBytes) };
      }
      case 'sign':
        return { type: 'signed', signature: crypto.p256Sign(this.scalar, request.message) };
      case 'consent':
        this.notices.push(request.notice);
        return { type: 'consented', agreed: this.agrees };
      case 'configure':
        return { type: 'configured', outcome: failure === undefined ? { status: 'completed' } : { status: 'failed', message: failure }, writes: [] };
    }
  }

  /** One frame over mutual TLS. */
  ask(frame: Uint8Array, certificate?: Uint8Array): Promise<RoleAnswer> {
    return this.uem.ask('device', frame, this.peer(certificate));
  }

  poll(poll: Partial<wire.Poll> = {}): Promise<RoleAnswer> {
    return this.ask(wire.poll.encode({ reason: 'schedule', ...poll }));
  }

  /** Polls and expects a command. */
  async pollCommand(): Promise<wire.Command> {
    return wire.command.decode(frameIn(await this.poll()));
  }

  result(commandId: Uint8Array | string, result: Partial<wire.CommandResult> = {}): Promise<RoleAnswer> {
    const id = typeof commandId === 'string' ? fromHex(commandId) : commandId;
    return this.ask(wire.commandResult.encode({ commandId: id, status: 'done', ...result }));
  }

  done(message?: string): Promise<RoleAnswer> {
    return this.ask(wire.activationDone.encode({ deviceId: this.deviceId, status: message === undefined ? 'completed' : 'failed', message }));
  }

  /** A certificate request for a renewal; `salt` makes another one. */
  renewalRequest(scalar: Uint8Array = this.scalar): Uint8Array {
    const info = this.certificates.requestInfo(crypto.p256PublicKey(scalar));
    return this.certificates.request(info, crypto.p256Sign(scalar, info));
  }
}

function received(answer: RoleAnswer): Input<ActivationRequestResult> {
  if (answer.status === 'answered') return { type: 'received', frame: answer.frame };
  return { type: 'closed' };
}

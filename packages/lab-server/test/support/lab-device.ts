import {
  type ActivationInitiator,
  type ActivationOutput,
  type ActivationRequestResult,
  type ActivationSecret,
  activationInitiator,
  canonicalUserId,
  fromBase64url,
  type Input,
  type ProtocolError,
  x509,
} from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { rememberedScrypt, seededEntropy } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import type { ConnectionFile } from '../../src/data/connection-file.ts';
import { privateKeyPem, toPem } from '../../src/data/pem.ts';
import type { Lab } from '../../src/lab.ts';
import { ask } from './raw-client.ts';

const crypto = rememberedScrypt(nodeCrypto());
const INFO: wire.DeviceInfo = { platform: 'android-enterprise', osVersion: '14', model: 'Test', clientVersion: '1.0' };

/** Carries one frame to a service of a lab. */
export type Carry = (service: 'discovery' | 'activation' | 'device', frame: Uint8Array, device: LabDevice) => Promise<Uint8Array>;

/** Over the memory transport of a lab. */
export function overMemory(lab: Lab): Carry {
  const transport = lab.transport('test device');
  const { infrastructure, activation, devices } = lab.connection;
  const addresses = { discovery: infrastructure, activation, device: devices };
  return (service, frame, device) => {
    const identity = service === 'device' ? { identity: { deviceId: device.deviceId, certificates: [device.certificate], keyId: 'key' } } : {};
    return transport.exchange({ address: addresses[service], service, frame, trust: lab.trust, ...identity });
  };
}

/** Over HTTPS, one connection for each frame. */
export function overHttps(connection: ConnectionFile): Carry {
  const addresses = { discovery: connection.infrastructure, activation: connection.activation, device: connection.devices };
  return async (service, frame, device) => {
    const identity = service === 'device' ? { key: device.keyPem, cert: toPem('CERTIFICATE', device.certificate) } : {};
    const headers = { 'content-type': 'application/vnd.uemkit.frame' };
    const answer = await ask(`https://${addresses[service]}/uemkit/1/${service}`, { ca: connection.ca, ...identity, method: 'POST', headers, body: frame });
    if (answer.status !== 200) throw new Error(`HTTP status ${answer.status}`);
    return new Uint8Array(answer.body);
  };
}

/** The secret in the content of a QR code. */
export function qrSecret(content: string): ActivationSecret {
  return { kind: 'qr', code: wire.qrCode.decode(wire.decodeCbor(fromBase64url(content)), 'qrCode') };
}

/** A device over the protocol's own machine, on any way to a lab. */
export class LabDevice {
  readonly scalar: Uint8Array;
  readonly publicKey: Uint8Array;
  details: wire.ActivationDetails | undefined;
  private readonly carry: Carry;
  private readonly name: string;
  private readonly certificates = x509.deviceX509(crypto);

  private readonly nowMs: () => number;

  constructor(carry: Carry, name = 'device', nowMs: () => number = Date.now) {
    this.nowMs = nowMs;
    this.carry = carry;
    this.name = name;
    this.scalar = seededEntropy(`key of ${name}`).randomBytes(32);
    this.publicKey = crypto.p256PublicKey(this.scalar);
  }

  get deviceId(): string {
    return this.details?.deviceId ?? '';
  }

  get certificate(): Uint8Array {
    return this.details?.certificates[0] ?? new Uint8Array();
  }

  get keyPem(): string {
    return privateKeyPem(this.scalar, this.publicKey);
  }

  /** A certificate request for the same key (8.7). */
  renewalRequest(): Uint8Array {
    const info = this.certificates.requestInfo(this.publicKey);
    return this.certificates.request(info, crypto.p256Sign(this.scalar, info));
  }

  /** F1 from A1 to A7; the error when it is refused. */
  async activate(secret: ActivationSecret): Promise<ActivationOutput | ProtocolError> {
    const userId = canonicalUserId(secret.kind === 'qr' ? secret.code.userId : secret.userId);
    const entropy = seededEntropy(`runs of ${this.name} ${userId}`);
    const record = { phase: 'started', userId, keyId: 'key' } as const;
    const machine: ActivationInitiator = activationInitiator({ crypto, entropy, certificates: this.certificates, deviceInfo: INFO, secret, record });
    const inputs: Input<ActivationRequestResult>[] = [{ type: 'start' }];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of machine.handle(input, this.nowMs())) {
        if (effect.type === 'done') return effect.output;
        if (effect.type === 'fail') return effect.error;
        if (effect.type === 'emit' && effect.event.type === 'certificateReceived') this.details = effect.event.details;
        if (effect.type === 'send') {
          const service = wire.peekFrameName(effect.frame) === 'activationDone' ? 'device' : 'activation';
          inputs.push({ type: 'received', frame: await this.carry(service, effect.frame, this) });
        }
        if (effect.type !== 'request') continue;
        const { request } = effect;
        if (request.type === 'publicKey') inputs.push({ type: 'result', result: { type: 'publicKey', publicKey: this.publicKey } });
        if (request.type === 'sign') inputs.push({ type: 'result', result: { type: 'signed', signature: crypto.p256Sign(this.scalar, request.message) } });
        if (request.type === 'configure') inputs.push({ type: 'result', result: { type: 'configured', outcome: { status: 'completed' }, writes: [] } });
        if (request.type === 'stretch') {
          const { password, salt, cost, lengthBytes } = request.stretch;
          inputs.push({ type: 'result', result: { type: 'stretched', bytes: await crypto.scrypt(password, salt, cost, lengthBytes) } });
        }
      }
    }
    throw new Error('the activation stopped');
  }

  async discover(userId: string): Promise<wire.DiscoveryResponse> {
    return wire.discoveryResponse.decode(wire.parseFrame(await this.carry('discovery', wire.discoveryRequest.encode({ versions: [1], userId }), this)));
  }

  async poll(poll: Partial<wire.Poll> = {}): Promise<wire.Frame> {
    return wire.parseFrame(await this.carry('device', wire.poll.encode({ reason: 'schedule', ...poll }), this));
  }

  async result(commandId: Uint8Array, result: Partial<wire.CommandResult> = {}): Promise<wire.Frame> {
    return wire.parseFrame(await this.carry('device', wire.commandResult.encode({ commandId, status: 'done', ...result }), this));
  }
}

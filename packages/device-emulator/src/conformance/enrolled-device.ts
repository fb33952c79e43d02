import * as wire from '@uemkit/protocol/wire';
import type { DeviceKey } from './device-key.ts';
import { messageOf, seenOf } from './frames.ts';
import type { TlsChoice, WireResponse } from './http-wire.ts';
import { demand } from './mismatch.ts';
import type { TestUser } from './set-up.ts';

/** DER as PEM. */
export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** DER of the first certificate in PEM. */
export function derOf(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64'));
}

/** One frame to the device service with this certificate. */
export type DevicePost = (frame: Uint8Array, tls: TlsChoice) => Promise<WireResponse | undefined>;

/** Commands that a device takes while it gets to rest; a server that has more for a fresh one never gets there. */
const MAX_DRAINED = 64;

/** A device with a certificate, between A6 and its end. */
export class EnrolledDevice {
  readonly user: TestUser;
  readonly key: DeviceKey;
  readonly details: wire.ActivationDetails;
  /** The certificate that it shows. */
  certificate: Uint8Array;
  readonly #post: DevicePost;

  constructor(options: { readonly user: TestUser; readonly key: DeviceKey; readonly details: wire.ActivationDetails; readonly post: DevicePost }) {
    const { user, key, details, post } = options;
    this.user = user;
    this.key = key;
    this.details = details;
    this.certificate = details.certificates[0] as Uint8Array;
    this.#post = post;
  }

  get deviceId(): string {
    return this.details.deviceId;
  }

  /** One frame over mutual TLS; with `certificate` another one than it shows usually. */
  post(frame: Uint8Array, certificate: Uint8Array = this.certificate): Promise<WireResponse | undefined> {
    return this.#post(frame, { cert: pemOf('CERTIFICATE', certificate), key: this.key.pem });
  }

  /** A7. */
  confirm(change: Partial<wire.ActivationDone> = {}): Promise<WireResponse | undefined> {
    return this.post(wire.activationDone.encode({ deviceId: this.deviceId, status: 'completed', ...change }));
  }

  poll(more: Partial<wire.Poll> = {}): Promise<WireResponse | undefined> {
    return this.post(wire.poll.encode({ reason: 'request', ...more }));
  }

  /** Polls and expects a command. */
  async command(): Promise<wire.Command> {
    return messageOf(await this.poll(), wire.command);
  }

  async idle(): Promise<wire.Idle> {
    return messageOf(await this.poll(), wire.idle);
  }

  result(commandId: Uint8Array, more: Partial<wire.CommandResult> = {}): Promise<WireResponse | undefined> {
    return this.post(wire.commandResult.encode({ commandId, status: 'done', ...more }));
  }

  /** Carries out whatever the server has for a new device, so that a case begins at rest. */
  async drain(): Promise<this> {
    let answer = await this.poll();
    for (let count = 0; seenOf(answer) === 'frame command'; count++) {
      demand(count < MAX_DRAINED, 'idle after the commands of a new device', `more than ${MAX_DRAINED} commands`);
      answer = await this.result(messageOf(answer, wire.command).commandId);
    }
    messageOf(answer, wire.idle);
    return this;
  }
}

import * as wire from '@uemkit/protocol/wire';
import type { NotificationRole } from '../../src/roles/notification/notification.ts';
import type { PushConnection, PushSocket } from '../../src/roles/notification/push-session.ts';

/** A device on a push connection without a network; what it got stands in `frames`. */
export class PushDevice implements PushSocket {
  readonly frames: wire.Frame[] = [];
  pings = 0;
  /** How the service ended the connection. */
  ended: 'ended' | 'refused' | 'cut off' | undefined;
  unreadBytes = 0;
  answersPings = true;
  /** Acknowledges each wake-up, as a client does. */
  takes = true;
  readonly connection: PushConnection;

  constructor(role: NotificationRole) {
    this.connection = role.connect(this, 'memory');
  }

  send(frame: Uint8Array): void {
    if (this.ended !== undefined) return;
    const parsed = wire.parseFrame(frame);
    this.frames.push(parsed);
    if (this.takes && parsed.name === 'wakeUp') queueMicrotask(() => this.acknowledge(wire.wakeUp.decode(parsed).wakeUpId));
  }

  ping(): void {
    this.pings++;
    if (this.answersPings) this.connection.alive();
  }

  close(why: 'ended' | 'refused'): void {
    this.end(why);
  }

  cutOff(): void {
    this.end('cut off');
  }

  private end(how: NonNullable<PushDevice['ended']>): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    queueMicrotask(() => this.connection.closed());
  }

  register(token?: Uint8Array, service = 'apns', application?: string): void {
    this.connection.received(wire.pushRegister.encode({ service, token, application }));
  }

  acknowledge(wakeUpId: Uint8Array): void {
    this.connection.received(wire.pushAck.encode({ wakeUpId }));
  }

  get token(): Uint8Array {
    const frame = this.frames.find(({ name }) => name === 'pushRegistered');
    if (frame === undefined) throw new Error('not registered');
    return wire.pushRegistered.decode(frame).token;
  }

  get wakeUps(): readonly wire.WakeUp[] {
    return this.frames.filter(({ name }) => name === 'wakeUp').map((frame) => wire.wakeUp.decode(frame));
  }

  get names(): readonly string[] {
    return this.frames.map(({ name }) => name);
  }
}

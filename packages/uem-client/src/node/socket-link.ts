import type { Socket } from 'node:net';
import { type FrameReceiver, handshakeStream, isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { AppLink } from '../app-port.ts';
import { transportError } from './transport-error.ts';

/** What is still to be sent when a connection ends has to leave in this time; the app may read nothing. */
const FAREWELL_MS = 5_000;

/** The client's end of `ipc` over one local socket. Takes over its errors. */
export function socketLink(socket: Socket): AppLink {
  return new SocketLink(socket);
}

class SocketLink implements AppLink {
  readonly #socket: Socket;
  readonly #stream = handshakeStream('ipc', 'initiator');
  #receiver: FrameReceiver | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  receive(receiver: FrameReceiver): void {
    this.#receiver = receiver;
    this.#socket
      .on('data', (chunk: Buffer) => this.#arrived(() => this.#push(chunk)))
      .on('end', () => this.#arrived(() => this.#stream.end()))
      .on('error', (error) => this.#closed(transportError(error)))
      .on('close', () => this.#closed());
  }

  send(frame: Uint8Array): void {
    if (!this.#socket.writable) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the app has gone');
    this.#socket.write(frame);
  }

  close(): void {
    this.#receiver = undefined;
    this.#socket.setTimeout(FAREWELL_MS, () => this.#socket.destroy());
    this.#socket.destroySoon();
  }

  #push(chunk: Buffer): void {
    // A copy, because `slice` of a Buffer is a view.
    for (const frame of this.#stream.push(new Uint8Array(chunk))) this.#receiver?.received(frame);
  }

  /** No later frame can be found in a stream that was refused. */
  #arrived(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#closed(isProtocolError(error) ? error : new ProtocolError('ERR_INTERNAL', 'a frame could not be taken', { cause: error }));
      this.#socket.destroy();
    }
  }

  #closed(error?: ProtocolError): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.closed(error);
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Parts of an answer that goes on. */
export interface AnswerStream {
  /** The next part; undefined after the last one. */
  next(): Promise<string | undefined>;
  /** The server stops: what comes next is the last part. */
  end(): void;
  /** The reader is gone. */
  close(): void;
}

/** Answers that go on, of one listener. */
export interface Streamer {
  /** Sends a stream until it ends, its reader leaves, or does not read for `stallMs`. */
  send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly stream: AnswerStream },
  ): void;
  /** Ends all of them in order. */
  end(): void;
}

/** A part is made when the reader has taken the one before, so that who reads slowly or not at all costs no memory. */
export function createStreamer({ stallMs, failed }: { readonly stallMs: number; failed(error: unknown): void }): Streamer {
  // BOUNDED by whoever makes the streams.
  const open = new Set<AnswerStream>();
  const streaming = new WeakSet<Socket>();

  const pump = async (socket: Socket, response: ServerResponse, stream: AnswerStream): Promise<void> => {
    for (;;) {
      const part = await stream.next();
      if (part === undefined || socket.destroyed || response.destroyed) break;
      if (!response.write(part)) await taken(socket, response, stallMs);
    }
    response.end();
  };

  return {
    send(request, response, { status, headers, stream }) {
      const { socket } = request;
      // Behind a stream nothing is answered: the connection ends with it.
      if (response.headersSent || response.destroyed || socket.destroyed || streaming.has(socket) || request.method === 'HEAD') {
        stream.close();
        if (request.method === 'HEAD') response.writeHead(status, headers).end();
        return;
      }
      open.add(stream);
      streaming.add(socket);
      // Of the connection, not of the answer: one that waits behind another request is never told that its reader left.
      socket.once('close', () => {
        open.delete(stream);
        stream.close();
      });
      // The connection ends with the stream: nobody waits for another request on it when the server stops.
      response.writeHead(status, { ...headers, connection: 'close' });
      response.flushHeaders();
      pump(socket, response, stream).catch((error: unknown) => {
        failed(error);
        socket.destroy();
      });
    },
    end() {
      for (const stream of [...open]) stream.end();
    },
  };
}

/** Resolves when the reader has taken what was written, or is gone; one that does not read is cut off. */
function taken(socket: Socket, response: ServerResponse, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(late);
      response.off('drain', settle);
      socket.off('close', settle);
      resolve();
    };
    const late = setTimeout(() => socket.destroy(), stallMs);
    response.once('drain', settle);
    socket.once('close', settle);
  });
}

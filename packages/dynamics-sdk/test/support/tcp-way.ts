import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';
import type { ByteStream, ConnectionWay, ConnectTarget, WayOptions } from '../../src/index.ts';

/** Bare TCP to 127.0.0.1, whatever the host: a way of tests, which counts what it holds. */
export class TcpWay implements ConnectionWay {
  /** `host:port` of each connection. */
  readonly asked: string[] = [];
  readonly sockets = new Set<Socket>();
  /** Bytes that came off sockets, and that the app has sent. */
  readonly counted = { received: 0, sent: 0 };
  /** Ends the way of every open connection without a word. */
  breakAll(): void {
    for (const socket of this.sockets) socket.destroy(new Error('the way broke'));
  }

  async open({ host, port }: ConnectTarget, { signal }: WayOptions): Promise<ByteStream> {
    signal?.throwIfAborted();
    this.asked.push(`${host}:${port}`);
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const abort = (): void => void socket.destroy();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await once(socket, 'connect', ...(signal === undefined ? [] : [{ signal }]));
    } catch (error) {
      signal?.throwIfAborted();
      throw new ProtocolError('ERR_CONNECTION_TARGET', 'the server was not reached', { cause: error });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    this.sockets.add(socket);
    return streamOf(socket, this);
  }
}

function streamOf(socket: Socket, way: TcpWay): ByteStream {
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure ??= error instanceof ProtocolError ? error : new ProtocolError('ERR_CONNECTION_LOST', 'the connection broke', { cause: error });
  });
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('close', () => {
      way.sockets.delete(socket);
      if (failure === undefined && socket.readableEnded && socket.writableFinished) return resolve();
      failure ??= new ProtocolError('ERR_CONNECTION_LOST', 'the connection broke');
      reject(failure);
    });
  });
  closed.catch(() => {});
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        closed.catch((error) => controller.error(error));
      },
      async pull(controller) {
        for (;;) {
          const chunk = socket.read() as Buffer | null;
          if (chunk !== null) {
            way.counted.received += chunk.length;
            return controller.enqueue(new Uint8Array(chunk));
          }
          if (socket.readableEnded) return controller.close();
          await first(socket, ['readable', 'end', 'close']);
          if (failure !== undefined) throw failure;
        }
      },
      cancel: () => void socket.destroy(),
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>(
    {
      start(controller) {
        closed.catch((error) => controller.error(error));
      },
      async write(chunk) {
        way.counted.sent += chunk.length;
        if (!socket.write(chunk)) await first(socket, ['drain', 'close']);
        if (failure !== undefined) throw failure;
      },
      async close() {
        await Promise.race([new Promise<void>((done) => socket.end(done)), closed]);
      },
      abort: () => void socket.destroy(),
    },
    { highWaterMark: 1 },
  );
  return {
    readable,
    writable,
    closed,
    destroy(error) {
      failure ??= error;
      socket.destroy();
    },
  };
}

/** Until the first of these events; listeners go with it. */
function first(socket: Socket, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
    // It is closed before it says so: who waits for that in a loop must let it come.
    if (socket.closed) setImmediate(done);
  });
}

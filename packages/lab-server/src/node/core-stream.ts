import { type Duplex, duplexPair } from 'node:stream';
import type { CoreSessions } from '../roles/uem/core-sessions.ts';

/** A connection that does not end its half is cut off after this time. */
const CLOSE_MS = 5_000;

/** UEM's end of a connection that the NOC has made for an app. */
export function serveCoreStream(stream: Duplex, connect: CoreSessions['connect'], source: string): void {
  stream.on('error', () => stream.destroy());
  const connection = connect(
    {
      send(bytes) {
        if (stream.writable) stream.write(bytes);
      },
      close() {
        stream.end();
        const late = setTimeout(() => stream.destroy(), CLOSE_MS);
        stream.once('close', () => clearTimeout(late));
        stream.resume();
      },
    },
    source,
  );
  stream.on('data', (chunk: Uint8Array) => connection.received(new Uint8Array(chunk)));
  stream.once('end', () => connection.closed());
  stream.once('close', () => connection.closed());
}

/** A connection from the NOC to UEM in the same process. */
export function memoryCoreStream(connect: CoreSessions['connect'], source: string): Duplex {
  const [atNoc, atUem] = duplexPair();
  serveCoreStream(atUem, connect, source);
  return atNoc;
}

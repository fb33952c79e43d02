import type { Duplex } from 'node:stream';

/** What is written in this turn of the event loop leaves together: TLS makes full records of it, and the system is called once. */
export function gather(stream: Duplex): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

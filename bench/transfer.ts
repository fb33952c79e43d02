import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';

export type Direction = 'download' | 'upload';

const PIECE = new Uint8Array(65_536).fill(0x5a);

/** The nine bytes that `bare/bytes-server.ts` wants. */
function head(direction: Direction, lengthBytes: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = direction === 'download' ? 0x44 : 0x55;
  bytes.writeBigUInt64BE(BigInt(lengthBytes), 1);
  return new Uint8Array(bytes);
}

/** Moves so many bytes over a connection to `bare/bytes-server.ts`. @throws when not all came */
export async function moved(socket: Duplex, direction: Direction, lengthBytes: number): Promise<void> {
  const received = counted(socket);
  socket.write(head(direction, lengthBytes));
  if (direction === 'upload') for (let left = lengthBytes; left > 0; left -= PIECE.length) if (!socket.write(PIECE)) await once(socket, 'drain');
  const expected = direction === 'download' ? lengthBytes : 1;
  if ((await received) !== expected) throw new Error(`${direction}: ${await received} bytes came instead of ${expected}`);
  socket.destroy();
}

/** TLS 1.3 of Node to 127.0.0.1. */
export async function tlsTo(port: number, ca: string): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port, ca, minVersion: 'TLSv1.3', servername: 'localhost' });
  await once(socket, 'secureConnect');
  return socket;
}

function counted(socket: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.once('end', () => resolve(received));
    socket.once('error', reject);
  });
}

/** MiB a second of one transfer. */
export async function speed(lengthBytes: number, move: () => Promise<void>): Promise<number> {
  const begunMs = performance.now();
  await move();
  return (lengthBytes / 1_048_576 / (performance.now() - begunMs)) * 1_000;
}

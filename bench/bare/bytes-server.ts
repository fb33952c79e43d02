import { type AddressInfo, createServer, type Socket } from 'node:net';

/*
 * A server that only moves bytes, a process of its own. The first nine bytes of a connection say what is wanted: `D` or `U` and a length (64 bits, big endian).
 * `D`: so many bytes come. `U`: so many bytes are read; one byte is the answer.
 */
const HEAD_BYTES = 9;
const PIECE = Buffer.alloc(65_536, 0x5a);

function serve(socket: Socket): void {
  let head = Buffer.alloc(0);
  let left = -1;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (left < 0) {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES) return;
      left = Number(head.readBigUInt64BE(1));
      if (head[0] === 0x44) return send(socket, left);
      left -= head.length - HEAD_BYTES;
    } else left -= chunk.length;
    if (left <= 0) socket.end(Buffer.alloc(1));
  });
}

function send(socket: Socket, total: number): void {
  let left = total;
  const more = (): void => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
    socket.end();
  };
  more();
}

const server = createServer({ allowHalfOpen: true }, serve);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
process.on('SIGTERM', () => process.exit(0));

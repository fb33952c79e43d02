import type { Duplex } from 'node:stream';

/** One frame of a stream and the answer to it; no answer when that has no bytes. */
export interface FrameExchange {
  readonly bytes: number;
  readonly answerBytes: number;
}

/** How long the other end works before each answer, and who is told how long each exchange took. */
export interface FrameAnswers {
  readonly workMs: readonly number[];
  took?(exchange: number, durationMs: number): void;
}

/** A bare frame begins with its length, that of its answer, and how long the other end works. The shortest frame of the protocol that is played back is longer. */
const HEAD_BYTES = 16;

/** Answers each frame that comes with as many bytes as it says, after as much work as it says. */
export function answerFrames(socket: Duplex): void {
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length >= HEAD_BYTES && waiting.length >= waiting.readUInt32BE(0)) {
      const answerBytes = waiting.readUInt32BE(4);
      computeFor(waiting.readDoubleBE(8));
      waiting = waiting.subarray(waiting.readUInt32BE(0));
      if (answerBytes > 0) socket.write(Buffer.alloc(answerBytes));
    }
  });
}

/** Sends the frames, each when the answer to the one before is there. */
export async function exchangeFrames(socket: Duplex, exchanges: readonly FrameExchange[], { workMs, took }: FrameAnswers): Promise<void> {
  for (const [number, { bytes, answerBytes }] of exchanges.entries()) {
    const begunMs = performance.now();
    const frame = Buffer.alloc(Math.max(bytes, HEAD_BYTES));
    frame.writeUInt32BE(frame.length, 0);
    frame.writeUInt32BE(answerBytes, 4);
    frame.writeDoubleBE(workMs[number] ?? 0, 8);
    socket.write(frame);
    if (answerBytes > 0) await received(socket, answerBytes);
    took?.(number, performance.now() - begunMs);
  }
}

function received(socket: Duplex, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes;
    const ended = (): void => reject(new Error('the connection ended before the answer'));
    const data = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', data).off('close', ended);
      resolve();
    };
    socket.on('data', data).once('close', ended);
  });
}

/** Keeps this core busy, as the real server does: a client that has waited for one runs on colder caches, and the same calls cost it more. */
export function computeFor(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

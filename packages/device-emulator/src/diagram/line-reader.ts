import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1_024;

/**
 * Calls `onLine` with each line of a file and its number from 1; `undefined` stands for one that is longer than `maxBytes`. Holds one chunk and one line.
 * `onRead` hears how many bytes each chunk had.
 */
export async function readLines(
  path: string,
  maxBytes: number,
  onLine: (text: string | undefined, number: number) => void,
  onRead?: (bytes: number) => void,
): Promise<void> {
  let number = 0;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let tooLong = false;

  const take = (part: Buffer): void => {
    waitingBytes += part.length;
    if (waitingBytes <= maxBytes) waiting.push(part);
    else {
      tooLong = true;
      waiting = [];
    }
  };
  const end = (): void => {
    const text = tooLong ? undefined : Buffer.concat(waiting).toString('utf8');
    waiting = [];
    waitingBytes = 0;
    tooLong = false;
    onLine(text, ++number);
  };

  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE, from); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at));
      end();
      from = at + 1;
    }
    // A copy: the memory of the chunk is used again.
    if (from < chunk.length) take(Buffer.from(chunk.subarray(from)));
    onRead?.(chunk.length);
  }
  if (waitingBytes > 0) end();
}

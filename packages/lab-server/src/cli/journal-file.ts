import { createWriteStream } from 'node:fs';
import type { RingJournal } from '../journal/journal.ts';

/** Lines that wait for the disk; over it lines are left out and counted. */
const WAITING_BYTES = 16 * 2 ** 20;

/** Appends each entry of a journal to a file as NDJSON, readable for its owner only; the returned function ends it. */
export function writeJournalFile(journal: RingJournal, path: string, failed: (reason: string) => void): () => Promise<void> {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let leftOut = 0;
  let broken = false;
  stream.on('error', (error) => {
    if (!broken) failed(`the journal file cannot be written: ${error.message}`);
    broken = true;
  });
  const end = journal.subscribe((entry) => {
    if (broken) return;
    if (stream.writableLength > WAITING_BYTES) {
      leftOut += 1;
      return;
    }
    if (leftOut > 0) stream.write(`${JSON.stringify({ leftOut })}\n`);
    leftOut = 0;
    stream.write(`${JSON.stringify(entry)}\n`);
  });
  return () =>
    new Promise((resolve) => {
      end();
      if (broken) resolve();
      else stream.end(() => resolve());
    });
}

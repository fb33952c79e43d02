import { toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { createRingJournal, type NumberedEntry } from '../../src/journal/journal.ts';
import { idReferences, MAX_JOURNAL_REFERENCES } from '../../src/journal/references.ts';

const crypto = nodeCrypto();
const ids = Array.from({ length: MAX_JOURNAL_REFERENCES + 1 }, (_, index) => new Uint8Array(16).fill(index));
const expected = ids.slice(0, MAX_JOURNAL_REFERENCES).map((id) => toHex(crypto.sha256(id)).slice(0, 16));

/** A journal with one entry about all ids, and how many hashes were made so far. */
function recorded(listener?: (entry: NumberedEntry) => void) {
  let hashes = 0;
  const counting = {
    sha256: (data: Uint8Array): Uint8Array => {
      hashes += 1;
      return crypto.sha256(data);
    },
  };
  const journal = createRingJournal({ capacity: 2 });
  if (listener !== undefined) journal.subscribe(listener);
  journal.record({ timeMs: 1, role: 'uem', service: 'x', request: 'r', answer: 'a', source: 's', refs: idReferences(counting, ids) });
  return { journal, hashes: () => hashes };
}

describe('references of the journal', () => {
  it('cost nothing until somebody reads the entry, and then once', () => {
    const { journal, hashes } = recorded();
    expect(hashes()).toBe(0);
    expect(journal.entries({ deviceId: 'another' })).toEqual([]);
    expect(hashes()).toBe(0);
    for (let reads = 0; reads < 2; reads++) expect(journal.entries()[0]?.refs).toEqual(expected);
    expect(hashes()).toBe(MAX_JOURNAL_REFERENCES);
  });

  it('reach who follows the journal as texts', () => {
    const told: NumberedEntry[] = [];
    const { journal } = recorded((entry) => told.push(entry));
    expect(JSON.parse(JSON.stringify(told[0]))).toMatchObject({ sequence: 1, refs: expected });
    expect(journal.entries()).toEqual(told);
  });
});

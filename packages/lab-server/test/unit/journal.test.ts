import { toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import { describe, expect, it } from 'vitest';
import { createRingJournal, type NumberedEntry } from '../../src/journal/journal.ts';
import { idReference, idReferences, MAX_JOURNAL_REFERENCES } from '../../src/journal/references.ts';

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

describe('the ring of the journal', () => {
  const line = (request: string) => ({ timeMs: 1_700_000_000_000, role: 'uem', service: 'x', request, answer: 'a', source: 's' }) as const;

  const full = { ...line('1'), step: 'F1.1', userId: 'u', deviceId: 'd', reason: 'r', unknown: true, receivedMs: 5, bytes: 0 } as const;
  const refs = idReference(crypto, ids[1] as Uint8Array);

  it('forgets the oldest, and what was read before stays as it was', () => {
    const journal = createRingJournal({ capacity: 2 });
    journal.record({ ...full, refs });
    const [first] = journal.entries();
    for (const request of ['2', '3']) journal.record(line(request));
    expect(journal.entries()).toEqual([2, 3].map((sequence) => ({ ...line(String(sequence)), sequence })));
    expect(first).toEqual({ ...full, sequence: 1, refs: [expected[1]] });
    expect(() => journal.assertNoUnknownRequests()).toThrow('1 unknown requests, the first: 1 to uem/x (r)');
  });

  it('has nothing of an older entry in a newer one', () => {
    const journal = createRingJournal({ capacity: 1 });
    journal.record({ ...full, refs });
    journal.record(line('2'));
    expect(Object.keys(journal.entries()[0] as object).sort()).toEqual(['answer', 'request', 'role', 'sequence', 'service', 'source', 'timeMs']);
    expect(journal.entries({ deviceId: 'd' })).toEqual([]);
  });
});

import { expect, it } from 'vitest';
import { type AuditEntry, appendAttempt, appendAudit, finishAudit, listAudit, MAX_AUDIT_ENTRIES } from '../../src/state/audit.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const ENTRY = { timeMs: 1, username: 'a', role: 'administrator', source: '', operation: 'deleteUser', object: '/users/1' } as const;

it('keeps the newest entries, and does not take the end of a forgotten one for that of the one in its place', async () => {
  const store = new MemoryStore();
  const places = await store.transaction((tx) => {
    appendAttempt(tx, ENTRY);
    return Array.from({ length: MAX_AUDIT_ENTRIES + 1 }, () => appendAudit(tx, ENTRY));
  });
  const [forgotten, oldest] = places as [number, number];
  await store.transaction((tx) => {
    finishAudit(tx, forgotten, { status: 500 });
    finishAudit(tx, oldest, { status: 200 });
  });
  const ends = (after: number): readonly (readonly [number, number | undefined])[] =>
    store.read((view) => listAudit(view, { after, limit: 2 }).map(({ sequence, status }: AuditEntry) => [sequence, status]));
  expect(ends(0)).toEqual([
    [1, undefined],
    [3, 200],
  ]);
  expect(ends(MAX_AUDIT_ENTRIES)).toEqual([
    [MAX_AUDIT_ENTRIES + 1, undefined],
    [MAX_AUDIT_ENTRIES + 2, undefined],
  ]);
});

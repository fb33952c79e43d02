import { describe, expect, it } from 'vitest';
import { deviceTable, joinId, partOf } from '../../src/state/table.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

interface Note {
  readonly text: string;
}

const notes = deviceTable<Note>('note');
const counts = deviceTable<Note>('note-count');

describe('tables of devices', () => {
  it('keep the rows of one device side by side, whatever their table', async () => {
    const store = new MemoryStore();
    await store.transaction((tx) => {
      for (const deviceId of ['d1', 'd2']) {
        notes.put(tx, joinId(deviceId, '1'), { text: `${deviceId} first` });
        notes.put(tx, joinId(deviceId, '2', 'x'), { text: `${deviceId} second` });
        counts.put(tx, deviceId, { text: `${deviceId} two` });
      }
    });
    const devices = store.read((view) => view.range({ prefix: '', limit: 9 }).map(({ key }) => key.split('/')[1]));
    expect(devices).toEqual(['d1', 'd1', 'd1', 'd2', 'd2', 'd2']);
  });

  it('give, list and forget what was put, under its id', async () => {
    const store = new MemoryStore();
    await store.transaction((tx) => {
      notes.put(tx, joinId('d1', '1'), { text: 'first' });
      notes.put(tx, joinId('d1', '2', 'x'), { text: 'second' });
      notes.put(tx, joinId('d10', '1'), { text: 'of another device' });
      counts.put(tx, 'd1', { text: 'two' });
    });
    const rows = (query: { readonly after?: string; readonly reverse?: boolean } = {}): readonly (readonly [string, string])[] =>
      store.read((view) => notes.page(view, { under: partOf('d1'), limit: 9, ...query }).map(({ id, record }) => [id, record.text] as const));
    expect(rows()).toEqual([
      ['d1/1', 'first'],
      ['d1/2/x', 'second'],
    ]);
    expect(rows({ after: 'd1/1' })).toEqual([['d1/2/x', 'second']]);
    expect(rows({ reverse: true }).map(([id]) => id)).toEqual(['d1/2/x', 'd1/1']);
    expect(store.read((view) => counts.get(view, 'd1'))).toMatchObject({ text: 'two' });
    expect(store.read((view) => counts.page(view, { under: partOf('d1'), limit: 9 }).map(({ id }) => id))).toEqual(['d1']);
    await store.transaction((tx) => notes.delete(tx, joinId('d1', '1')));
    expect(rows().map(([id]) => id)).toEqual(['d1/2/x']);
  });

  it('are listed device by device only: anything else would go over the rows of all tables', () => {
    const store = new MemoryStore();
    for (const under of [undefined, '', 'd1']) {
      expect(() => store.read((view) => notes.page(view, { under, limit: 9 }))).toThrow(expect.objectContaining({ code: 'ERR_USAGE_ARGUMENT' }));
    }
  });
});

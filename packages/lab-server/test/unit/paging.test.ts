import { describe, expect, it } from 'vitest';
import { type ListQuery, pageOf } from '../../src/rest/paging.ts';
import { AdminLab } from '../support/admin-lab.ts';

interface Item {
  readonly place: number;
  readonly text: string;
}

const ITEMS: readonly Item[] = Array.from({ length: 6_000 }, (_, place) => ({ place, text: String((place * 7_919) % 101) }));
const read = ({ text }: Item): string => text;
/** The whole list sorted, then cut: equal ones in the order of the list. */
function whole({ offset, max, sortBy }: ListQuery<'text'>): readonly number[] {
  const sign = sortBy?.descending === true ? -1 : 1;
  const sorted = [...ITEMS].sort((a, b) => sign * (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return sorted.slice(offset, offset + max).map(({ place }) => place);
}

describe('a page of a long list', () => {
  it.each([
    [0, 10],
    [995, 10],
    [2_990, 20],
    [5_990, 10],
    [5_995, 10],
    [7_000, 10],
  ])('is that of the whole list in order, from %i on', (offset, max) => {
    for (const descending of [false, true]) {
      const query = { offset, max, sortBy: { field: 'text', descending } } as const;
      const page = pageOf(ITEMS, query, read);
      expect(page.items.map(({ place }) => place)).toEqual(whole(query));
      expect(page.hasMore).toBe(offset + max < ITEMS.length);
    }
  });

  it('lets go of what it does not need: what is sorted at once is a little more than the page', () => {
    const lengths: number[] = [];
    const { sort } = Array.prototype;
    Array.prototype.sort = function (this: unknown[], compare) {
      lengths.push(this.length);
      return sort.call(this, compare);
    };
    try {
      pageOf(ITEMS, { offset: 0, max: 10, sortBy: { field: 'text', descending: false } }, read);
    } finally {
      Array.prototype.sort = sort;
    }
    expect(Math.max(...lengths)).toBeLessThan(1_100);
  });

  it('without an order ends with the item behind it', () => {
    let asked = 0;
    const items = function* (): Generator<Item> {
      for (const item of ITEMS) {
        asked += 1;
        yield item;
      }
    };
    const page = pageOf(items(), { offset: 100, max: 10 }, read);
    expect([page.items.map(({ place }) => place), page.hasMore, asked]).toEqual([Array.from({ length: 10 }, (_, n) => 100 + n), true, 111]);
  });
});

describe('devices', () => {
  it('are sorted and chosen by each of their fields, and shown whole', async () => {
    const lab = await AdminLab.start();
    const alice = await lab.admin.createUser({ username: 'alice' });
    const bob = await lab.admin.createUser({ username: 'bob' });
    const info = (osVersion: string, model: string) => ({ platform: 'ios', osVersion, model, clientVersion: '1.0' });
    await lab.addDevice(alice, 'd1', { info: { ...info('18', 'a'), serialNumber: '9' }, lastContactMs: 3_000, activatedAtMs: 1_000 });
    await lab.addDevice(bob, 'd2', { info: { ...info('17', 'b'), platform: 'windows' }, lastContactMs: 1_000, activatedAtMs: 2_000 });
    await lab.addDevice(alice, 'd3', { info: { ...info('16', 'c'), serialNumber: '1' }, lastContactMs: 2_000, activatedAtMs: undefined });
    await lab.addDevice(alice, 'd4', { status: 'removed' });
    const order = async (query: string) => {
      const { json } = await lab.ask('GET', `/devices?${query}`);
      for (const device of json.devices) expect(device.device.hardwareModel).toBeDefined();
      return json.devices.map(({ guid }: { readonly guid: string }) => guid).join(' ');
    };
    const expected = {
      guid: 'd1 d2 d3',
      username: 'd1 d3 d2',
      os: 'd1 d3 d2',
      osVersion: 'd3 d2 d1',
      hardwareModel: 'd1 d2 d3',
      serialNumber: 'd2 d3 d1',
      lastContactTime: 'd2 d3 d1',
      activationDate: 'd3 d1 d2',
    };
    for (const [field, devices] of Object.entries(expected)) expect([field, await order(`sortBy=${field}`)]).toEqual([field, devices]);
    expect(await order('query=hardwareModel=b')).toBe('d2');
    expect(await order('query=username=alice&sortBy=lastContactTime%20DESC')).toBe('d1 d3');
  });
});

import { seededEntropy } from '@uemkit/protocol/testing';
import { describe, expect, it } from 'vitest';
import { setUpTenant } from '../../src/host/uem-setup.ts';
import { putTenant, STATE_FORMAT, tenantOf } from '../../src/state/tenants.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const setUp = (store: MemoryStore): ReturnType<typeof setUpTenant> =>
  setUpTenant({ entropy: seededEntropy('tenant'), store, tenantId: 'tenant', coreId: 'core', nowMs: 1 });

describe('the layout of the state', () => {
  it('is written down, and found again', async () => {
    const store = new MemoryStore();
    expect((await setUp(store)).format).toBe(STATE_FORMAT);
    expect((await setUp(store)).format).toBe(STATE_FORMAT);
  });

  it.each([undefined, STATE_FORMAT - 1, STATE_FORMAT + 1])('is refused when it is another one (%s), and nothing is written', async (format) => {
    const store = new MemoryStore();
    await setUp(store);
    await store.transaction((tx) => putTenant(tx, { ...(tenantOf(tx) as NonNullable<ReturnType<typeof tenantOf>>), format }));
    const { commits } = store;
    await expect(setUp(store)).rejects.toMatchObject({ code: 'ERR_STORE_READ', details: { found: format ?? 1, expected: STATE_FORMAT } });
    expect(store.commits).toBe(commits);
  });
});

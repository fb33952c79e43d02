import { toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LinkStatus, putLink } from '../../src/roles/noc/noc-links.ts';
import { notePushApp, setPushChannels, waitingPushes } from '../../src/roles/noc/noc-push.ts';
import { putNocTenant } from '../../src/roles/noc/noc-tenants.ts';
import { NocBench, TENANT } from '../support/noc-bench.ts';

const DAY_MS = 86_400_000;
const id = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const [LINK, OTHER] = [toHex(id(1)), toHex(id(2))];
const [CHANNEL, SECOND] = [id(11), id(12)];
const SEALED = new Uint8Array(96).fill(7);

let noc: NocBench;

const link = (linkId: string, status: LinkStatus = 'active'): Promise<void> =>
  noc.store.transaction((tx) =>
    putLink(tx, { linkId, masterLinkKey: new Uint8Array(32), status, keyId: linkId, tenantId: TENANT, createdAtMs: 0, expiresAtMs: Number.MAX_SAFE_INTEGER }),
  );
const open = (linkId: string, ...channels: readonly Uint8Array[]): Promise<boolean> =>
  noc.store.transaction((tx) => setPushChannels(tx, { linkId, tenantId: TENANT }, channels.map(toHex), noc.clock.nowMs()));

beforeEach(async () => {
  noc = await NocBench.start();
  noc.proxy = { proxyId: 'proxy-1', certificate: new Uint8Array() };
  await noc.store.transaction((tx) => {
    putNocTenant(tx, { tenantId: TENANT, proxyIds: ['proxy-1'], destinations: [] });
    putNocTenant(tx, { tenantId: 'other', proxyIds: ['proxy-2'], destinations: [] });
  });
  await link(LINK);
  await link(OTHER);
  await open(LINK, CHANNEL);
});

async function notify(channelId: Uint8Array, sealed: Uint8Array | undefined = SEALED): Promise<string> {
  const answer = await noc.ask('channels', wire.pushNotify.encode({ channelId, sealed }));
  return answer.name === 'alert' ? wire.alert.decode(answer).code : wire.pushNotified.decode(answer).result;
}
const asked = async (channelId: Uint8Array): Promise<string> => {
  const answer = await noc.ask('channels', wire.pushNotify.encode({ channelId }));
  return wire.pushNotified.decode(answer).result;
};
const waiting = (linkId = LINK, above = -1): readonly number[] =>
  noc.store.read((view) => waitingPushes(view, linkId, above, 100, noc.clock.nowMs())).map(({ number }) => number);

describe('the NOC', () => {
  it('keeps what a Proxy of the tenant has for an open channel, and tells its connection', async () => {
    expect(await notify(CHANNEL)).toBe('accepted');
    expect([waiting(), noc.waited]).toEqual([[0], [LINK]]);
    expect(await asked(CHANNEL)).toBe('accepted');
    expect([waiting(), noc.waited]).toEqual([[0], [LINK]]);
    await noc.restart();
    expect(waiting()).toEqual([0]);
  });

  it('does not tell the channel of another tenant from one that is not there', async () => {
    noc.proxy = { proxyId: 'proxy-2', certificate: new Uint8Array() };
    expect([await notify(CHANNEL), await notify(SECOND)]).toEqual(['unknown', 'unknown']);
    noc.proxy = { refused: 'role uem is no Proxy' };
    expect(await notify(CHANNEL)).toBe('authFailed');
    expect(waiting()).toEqual([]);
  });

  it('gives a channel to the app that has it and to no other one', async () => {
    expect(await open(OTHER, SECOND, CHANNEL)).toBe(false);
    expect(await asked(SECOND)).toBe('unknown');
    expect(await open(LINK, SECOND)).toBe(true);
    expect(await open(OTHER, CHANNEL)).toBe(true);
    expect([await notify(CHANNEL), waiting(), waiting(OTHER)]).toEqual(['accepted', [], [0]]);
  });

  it('forgets what waits for a channel that is closed, and keeps the rest', async () => {
    await open(LINK, CHANNEL, SECOND);
    await notify(CHANNEL);
    await notify(SECOND);
    await open(LINK, SECOND);
    expect([await notify(CHANNEL), waiting()]).toEqual(['unknown', [1]]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['coreOnly', () => noc.ask('accessKeys', wire.nocEndLink.encode({ linkId: id(1), keepsCore: true }))],
    ['ended', () => noc.ask('accessKeys', wire.nocEndLink.encode({ linkId: id(1) }))],
  ])('forgets everything with a link that is %s', async (_status, end) => {
    await notify(CHANNEL);
    await end();
    expect([await notify(CHANNEL), waiting()]).toEqual(['unknown', []]);
    expect(noc.contents()).not.toContain(toHex(CHANNEL));
  });

  it('has nothing for a link that leads to UEM alone', async () => {
    await link(LINK, 'coreOnly');
    expect(await notify(CHANNEL)).toBe('unknown');
  });

  it('keeps 64 messages for an app, and one that is a day old no more', async () => {
    noc.connected.add(LINK);
    for (let count = 0; count < 63; count++) expect(await notify(CHANNEL)).toBe('accepted');
    await noc.clock.advance(1);
    expect([await notify(CHANNEL), await notify(CHANNEL)]).toEqual(['accepted', 'full']);
    await noc.clock.advance(DAY_MS - 1);
    expect(waiting()).toEqual([63]);
    expect(await notify(CHANNEL)).toBe('accepted');
    expect(waiting(LINK, 63)).toEqual([64]);
  });

  it('ends the channels of an app that was away for a day, and not those of one that is there', async () => {
    await noc.clock.advance(DAY_MS - 1);
    expect(await asked(CHANNEL)).toBe('accepted');
    await noc.clock.advance(1);
    noc.connected.add(LINK);
    expect(await asked(CHANNEL)).toBe('accepted');
    noc.connected.delete(LINK);
    await noc.store.transaction((tx) => notePushApp(tx, LINK, noc.clock.nowMs() - 1));
    expect(await asked(CHANNEL)).toBe('accepted');
    await noc.clock.advance(DAY_MS);
    expect(await asked(CHANNEL)).toBe('unknown');
    expect(noc.contents()).not.toContain(toHex(CHANNEL));
  });

  it('writes who, what and how long it was into its journal, and nothing of what it cannot read', async () => {
    await notify(CHANNEL);
    expect(noc.journal.entries().at(-1)).toMatchObject({ role: 'noc', service: 'channels', step: 'F10.4', request: 'pushNotify', answer: 'pushNotified' });
    expect(JSON.stringify(noc.journal.entries())).not.toContain('0707');
  });
});

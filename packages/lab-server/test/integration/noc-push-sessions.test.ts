import { type Duplex, duplexPair } from 'node:stream';
import { concatBytes, toHex } from '@uemkit/protocol';
import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, expect, it } from 'vitest';
import { createPushSessions, type PushSessions } from '../../src/node/noc-push-sessions.ts';
import { type LinkRecord, putLink } from '../../src/roles/noc/noc-links.ts';
import { takePush, waitingPushes } from '../../src/roles/noc/noc-push.ts';
import { putNocTenant } from '../../src/roles/noc/noc-tenants.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';

const id = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const [CHANNEL, SECOND] = [id(11), id(12)];
const linkOf = (fill: number): LinkRecord => ({
  ...{ linkId: toHex(id(fill)), masterLinkKey: new Uint8Array(32), status: 'active', keyId: '', tenantId: 'tenant' },
  ...{ createdAtMs: 0, expiresAtMs: Number.MAX_SAFE_INTEGER },
});
const LINK = linkOf(1);

let store: MemoryStore;
let clock: FakeClock;
let sessions: PushSessions;

beforeEach(async () => {
  store = new MemoryStore();
  clock = fakeClock(1_000_000);
  sessions = createPushSessions({ clock, store });
  await store.transaction((tx) => {
    putNocTenant(tx, { tenantId: 'tenant', proxyIds: ['proxy-1'], destinations: [] });
    putLink(tx, LINK);
  });
});

interface App {
  readonly end: Duplex;
  readonly heard: string[];
  closed(): boolean;
}

/** An app behind its link; `acks`: it acknowledges what comes. */
async function connected({ link = LINK, channels = [CHANNEL], rest = new Uint8Array() as Uint8Array, acks = true } = {}): Promise<App> {
  const [end, below] = duplexPair() as readonly [Duplex, Duplex];
  const parser = wire.frameParser({ maxBodyBytes: 16_384, trailerBytes: () => 0 });
  const heard: string[] = [];
  let isClosed = false;
  end.on('error', () => {});
  below.once('close', () => {
    isClosed = true;
  });
  end.on('data', (chunk: Uint8Array) => {
    for (const bytes of parser.push(new Uint8Array(chunk))) {
      const frame = wire.parseFrame(bytes, { maxBodyBytes: 16_384 });
      if (frame.name !== 'pushMessage') heard.push(frame.name);
      else {
        const { number, sealed } = wire.pushMessage.decode(frame);
        heard.push(`${number} ${sealed[0]}`);
        if (acks) end.write(wire.pushMessageAck.encode({ number }));
      }
    }
  });
  heard.push(await sessions.open(below, link, channels, rest));
  return { end, heard, closed: () => isClosed };
}

const notify = async (fill: number, channel = CHANNEL): Promise<void> => {
  const offered = { proxyId: 'proxy-1', channelId: toHex(channel), sealed: new Uint8Array(60).fill(fill) };
  const { result } = await store.transaction((tx) => takePush(tx, offered, clock.nowMs(), sessions.isConnected));
  expect(result).toBe('accepted');
  sessions.waits(LINK.linkId);
};
const waiting = (): number => store.read((view) => waitingPushes(view, LINK.linkId, -1, 100, clock.nowMs())).length;

it('sends what waits in order, what comes later at once, and forgets what was acknowledged', async () => {
  const away = await connected();
  away.end.end();
  await expect.poll(() => sessions.isConnected(LINK.linkId)).toBe(false);
  await notify(1);
  await notify(2);
  const { heard } = await connected();
  await expect.poll(() => heard).toEqual(['connected', 'connected', '0 1', '1 2']);
  await notify(3);
  await expect.poll(() => heard.at(-1)).toBe('2 3');
  await expect.poll(waiting).toBe(0);
});

it('sends 16 messages before it wants an acknowledgement, and again over the next connection what has none', async () => {
  const silent = await connected({ acks: false });
  for (let count = 0; count < 20; count++) await notify(count);
  await expect.poll(() => silent.heard.length).toBe(18);
  silent.end.write(wire.pushMessageAck.encode({ number: 0 }));
  await expect.poll(() => silent.heard.at(-1)).toBe('16 16');
  const { heard } = await connected();
  await expect.poll(() => heard.length).toBe(21);
  expect(heard.slice(2)).toEqual(Array.from({ length: 19 }, (_, index) => `${index + 1} ${index + 1}`));
  await expect.poll(waiting).toBe(0);
});

it('takes another list, and the newest connection of an app', async () => {
  const first = await connected();
  first.end.write(wire.pushChannels.encode({ number: 5, channelIds: [SECOND] }));
  await expect.poll(() => first.heard.at(-1)).toBe('pushChannelsSet');
  await notify(1, SECOND);
  await expect.poll(() => first.heard.at(-1)).toBe('0 1');
  const second = await connected({ channels: [SECOND] });
  await expect.poll(first.closed).toBe(true);
  await notify(2, SECOND);
  await expect.poll(() => second.heard.at(-1)).toBe('1 2');
  expect(sessions.isConnected(LINK.linkId)).toBe(true);
});

it('reads what came together with Connect, and answers pings', async () => {
  const { heard } = await connected({ rest: wire.streamPing.encode({ number: 9 }) });
  await expect.poll(() => heard).toContain('streamPong');
});

/** Eight channels, as an honest app may have them, and one more behind them. */
function nineChannels(): Uint8Array {
  const eight = wire.pushChannels.encode({ number: 1, channelIds: Array.from({ length: 8 }, (_, index) => id(100 + index)) });
  const nine = concatBytes(eight, Uint8Array.of(0x50), id(99));
  nine[nine.lastIndexOf(0x88, 8 + 4)] = 0x89;
  new DataView(nine.buffer).setUint32(4, nine.length - 8);
  return nine;
}

it('takes eight channels of an app', async () => {
  const { end, heard } = await connected();
  end.write(wire.pushChannels.encode({ number: 1, channelIds: Array.from({ length: 8 }, (_, index) => id(100 + index)) }));
  await expect.poll(() => heard.at(-1)).toBe('pushChannelsSet');
});

it.each<[string, Uint8Array]>([
  ['a frame that does not belong there', wire.pushMessage.encode({ number: 0, channelId: CHANNEL, sealed: id(1) })],
  ['no frame', new Uint8Array(20).fill(255)],
  ['an acknowledgement of what was not sent', wire.pushMessageAck.encode({ number: 0 })],
  ['the channel of another app', wire.pushChannels.encode({ number: 1, channelIds: [SECOND] })],
  ['a ninth channel', nineChannels()],
  ['a body that is too long', Uint8Array.of(1, 0xa9, 0, 0, 0, 0, 0x20, 0)],
])('ends a connection that says %s', async (_name, bytes) => {
  const other = linkOf(2);
  await connected({ link: other, channels: [SECOND] });
  const { end, closed } = await connected();
  end.write(bytes);
  await expect.poll(closed).toBe(true);
  expect([sessions.isConnected(LINK.linkId), sessions.isConnected(other.linkId)]).toEqual([false, true]);
});

it('denies the channel of another app, and leaves that one alone', async () => {
  const { heard } = await connected();
  expect((await connected({ link: linkOf(2), channels: [CHANNEL] })).heard).toEqual(['denied']);
  await notify(1);
  await expect.poll(() => heard.at(-1)).toBe('0 1');
});

it('lets go of an app that says nothing for 30 s, and keeps one that pings', async () => {
  const silent = await connected();
  const alive = await connected({ link: linkOf(2), channels: [SECOND] });
  await clock.advance(20_000);
  alive.end.write(wire.streamPing.encode({ number: 1 }));
  await expect.poll(() => alive.heard.at(-1)).toBe('streamPong');
  await clock.advance(10_000);
  await expect.poll(silent.closed).toBe(true);
  expect(alive.closed()).toBe(false);
});

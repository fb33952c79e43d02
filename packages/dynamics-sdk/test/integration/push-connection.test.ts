import { keySchedule } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NocTransport, type PushChannel, pushChannels } from '../../src/index.ts';
import { crypto } from '../support/device.ts';
import { type AppLab, appLab, type InstalledApp, installedApp } from '../support/lab-app.ts';

type OpenLink = NonNullable<NocTransport['openLink']>;
type Link = Parameters<OpenLink>[0];

let company: AppLab;
let app: InstalledApp;
let channel: PushChannel;
let heard: string[];
let token: string;
/** Of the connection for push channels. */
let link: Link;
/** Connections for push channels so far; an app has others, too. */
const links = (): number => sent.filter((name) => name === 'connectPush').length;
/** Names of frames of the app, links of the NOC included. */
let sent: string[];
/** Of them those of connections for push channels. */
let sentThere: string[];
/** False: what the NOC sends is lost. */
let isHeard: boolean;
/** True: the next connection for push channels is lost in the moment in which it is there. */
let isCutAtOnce: boolean;

beforeEach(async () => {
  [sent, sentThere, isHeard, isCutAtOnce, heard] = [[], [], true, false, []];
  company = await appLab(`push ${expect.getState().currentTestName}`);
  const real = company.lab.transport('app') as NocTransport;
  const openLink: OpenLink = async (options) => {
    let isForChannels = false;
    const onBytes = (bytes: Uint8Array): void => {
      if (isHeard) options.onBytes(bytes);
      if (!isForChannels || !isCutAtOnce || wire.peekFrameName(bytes) !== 'connected') return;
      isCutAtOnce = false;
      options.onClose();
    };
    const opened = await (real.openLink as OpenLink)({ ...options, onBytes });
    return {
      ...opened,
      send(bytes) {
        const name = wire.peekFrameName(bytes) ?? '';
        sent.push(name);
        if (name === 'connectPush') [link, isForChannels] = [options, true];
        if (isForChannels) sentThere.push(name);
        return opened.send(bytes);
      },
    };
  };
  const transport = new Proxy(real, { get: (target, name) => (name === 'openLink' ? openLink : Reflect.get(target, name)) });
  app = await installedApp(company, { transport, pushChannels: pushChannels() });
  expect((await app.authorize(await company.key())).state).toBe('authorized');
  channel = app.runtime.pushChannel('news');
  channel.addEventListener('open', ({ detail }) => {
    token = detail.token;
    heard.push('open');
  });
  channel.addEventListener('close', ({ detail }) => void heard.push(`close ${detail.reason?.code}`));
  channel.addEventListener('error', ({ detail }) => void heard.push(`error ${detail.error.code}`));
  channel.addEventListener('message', ({ detail }) => void heard.push(detail.data));
  channel.connect();
  await expect.poll(() => heard).toEqual(['open']);
});
afterEach(async () => {
  await app.runtime.close();
  await company.lab.close();
});

/** A message as whoever has the token makes it. */
function sealed(body: string, { fill = 1, sentAtEpochMs = 5, keys = keySchedule.openPushToken(token) } = {}): Uint8Array {
  const content = { messageId: new Uint8Array(16).fill(fill), sentAtEpochMs, body: new TextEncoder().encode(body) };
  return keySchedule.sealPush(crypto, keys, content, new Uint8Array(16));
}
const channelId = (): Uint8Array => keySchedule.openPushToken(token).channelId;
/** The NOC says this to the app. */
const noc = (bytes: Uint8Array): void => void link.onBytes(bytes);
const pushed = (text: Uint8Array, number = 0, to = channelId()): void => noc(wire.pushMessage.encode({ number, channelId: to, sealed: text }));
const acks = (): number => sent.filter((name) => name === 'pushMessageAck').length;

describe('a NOC that lies', () => {
  it('brings no message twice, in whatever order it repeats them, and is told that they are known', () => {
    for (const fill of [1, 2, 1, 2, 3]) pushed(sealed(`text ${fill}`, { fill }), fill);
    expect(heard).toEqual(['open', 'text 1', 'text 2', 'text 3']);
    expect(acks()).toBe(5);
  });

  it('brings none that is older than what is remembered', () => {
    const many = (count: number): Uint8Array => {
      const content = { messageId: new Uint8Array(16).fill(9), sentAtEpochMs: 10 + count, body: new Uint8Array() };
      new DataView(content.messageId.buffer).setUint32(0, count);
      return keySchedule.sealPush(crypto, keySchedule.openPushToken(token), content, new Uint8Array(16));
    };
    for (let count = 0; count < 1_030; count++) pushed(many(count), count);
    expect(heard).toHaveLength(1_031);
    pushed(many(0));
    expect(heard).toHaveLength(1_031);
  });

  it.each<[string, () => Uint8Array, string]>([
    ['of its own', () => new Uint8Array(96), 'ERR_CRYPTO_OPEN'],
    ['of another channel', () => sealed('x', { keys: keySchedule.newPushChannel(new Uint8Array(48).fill(3)) }), 'ERR_CRYPTO_OPEN'],
    ['that is no text', () => sealedBytes(Uint8Array.of(0xff)), 'ERR_WIRE_FIELD'],
  ])('ends a channel with a message %s, and nothing of it is shown', async (_name, make, code) => {
    pushed(make());
    expect([channel.state, heard]).toEqual(['error', ['open', `error ${code}`]]);
    await expect.poll(() => sent).toContain('pushChannels');
    channel.connect();
    await expect.poll(() => channel.state).toBe('open');
    pushed(sealed('again'));
    expect(heard.at(-1)).toBe('again');
  });

  it('is passed over with a message for a channel that nobody has', () => {
    pushed(sealed('x'), 0, new Uint8Array(16).fill(9));
    expect([channel.state, heard, acks()]).toEqual(['open', ['open'], 1]);
  });

  it.each<[string, () => Uint8Array]>([
    ['a list that nobody has told it', () => wire.pushChannelsSet.encode({ number: 7 })],
    ['a frame that is not its own', () => wire.pushMessageAck.encode({ number: 0 })],
    ['no frame', () => new Uint8Array(20).fill(255)],
  ])('loses the connection, and no channel, with %s', async (_name, make) => {
    noc(make());
    expect(channel.state).toBe('open');
    await company.clock.advance(1_000);
    await expect.poll(links).toBe(2);
    expect(heard).toEqual(['open']);
  });

  it('may break it as often as it likes: that ends no channel, and the app comes back', async () => {
    for (const count of [2, 3, 4]) {
      link.onClose();
      await company.clock.advance(2_000);
      await expect.poll(links).toBe(count);
    }
    expect([channel.state, heard]).toEqual(['open', ['open']]);
  });
});

describe('a connection for push channels', () => {
  it('is pinged after 10 s without a word, and is another one 5 s later', async () => {
    await company.clock.advance(10_000);
    expect(sentThere.at(-1)).toBe('streamPing');
    await company.clock.advance(5_000);
    expect(links()).toBe(1);
    isHeard = false;
    await company.clock.advance(10_000);
    isHeard = true;
    await company.clock.advance(1_000);
    await expect.poll(links).toBe(2);
    expect(heard).toEqual(['open']);
  });

  it('that is lost in the moment in which it is there is another one a second later, not after a ping', async () => {
    isCutAtOnce = true;
    link.onClose();
    await company.clock.advance(2_000);
    await expect.poll(() => isCutAtOnce).toBe(false);
    await company.clock.advance(2_000);
    await expect.poll(links).toBe(3);
    pushed(sealed('there'));
    expect(heard).toEqual(['open', 'there']);
  });

  it('ends with the last channel, and the next one has another', async () => {
    channel.disconnect();
    await expect.poll(() => sent.at(-1)).toBe('pushChannels');
    await company.clock.advance(60_000);
    expect(links()).toBe(1);
    channel.connect();
    await expect.poll(() => channel.state).toBe('open');
    expect(links()).toBe(2);
  });

  it('is that of all channels', async () => {
    const other = app.runtime.pushChannel('other');
    other.connect();
    await expect.poll(() => other.state).toBe('open');
    expect(links()).toBe(1);
  });

  it('has eight channels at most: the ninth fails, and opens once another one has gone', async () => {
    const others = Array.from({ length: 8 }, (_, index) => app.runtime.pushChannel(`other ${index}`));
    const ninth = others.at(-1) as PushChannel;
    const errors: string[] = [];
    ninth.addEventListener('error', ({ detail }) => void errors.push(detail.error.code));
    for (const other of others) other.connect();
    expect([ninth.state, errors]).toEqual(['error', ['ERR_REJECTED_BUSY']]);
    await expect.poll(() => others.slice(0, 7).map(({ state }) => state)).toEqual(Array(7).fill('open'));
    channel.disconnect();
    ninth.connect();
    await expect.poll(() => ninth.state).toBe('open');
    expect([errors.length, links()]).toEqual([1, 1]);
  });

  it('ends with a wipe, and with the runtime', async () => {
    await app.runtime.wipe();
    expect([channel.state, heard.at(-1)]).toEqual(['closed', 'close ERR_APP_WIPED']);
    await company.clock.advance(120_000);
    expect(links()).toBe(1);
  });
});

it('is not there without its option', async () => {
  const plain = await installedApp(company);
  expect(() => plain.runtime.pushChannel('news')).toThrow(expect.objectContaining({ code: 'ERR_USAGE_STATE' }));
  await plain.runtime.close();
});

function sealedBytes(body: Uint8Array): Uint8Array {
  return keySchedule.sealPush(crypto, keySchedule.openPushToken(token), { messageId: new Uint8Array(16), sentAtEpochMs: 1, body }, new Uint8Array(16));
}

import { type FakeClock, fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HostAnswer } from '../../src/host/role-host.ts';
import { NOC_CONNECTION_LIMITS, type NocConnection, nocConnection } from '../../src/roles/noc/noc-connection.ts';

const ANSWER: HostAnswer = { status: 'answered', frame: wire.acknowledgement.encode({ ok: true }) };
const FRAME = new Uint8Array(1);

let clock: FakeClock;
let sent: string[];
let reasons: string[];
let exchange: () => Promise<HostAnswer>;
let connection: NocConnection;
beforeEach(() => {
  clock = fakeClock(0);
  sent = [];
  reasons = [];
  exchange = async () => ANSWER;
  connection = nocConnection({
    clock,
    limits: { ...NOC_CONNECTION_LIMITS, frames: 3, waiting: 2, lifeMs: 1_000, idleMs: 100 },
    socket: {
      send: (frame) => void sent.push(alertOr(frame)),
      close: () => void sent.push('closed'),
      cutOff: () => void sent.push('cut off'),
    },
    exchange: () => exchange(),
    ended: (reason) => void reasons.push(reason),
  });
});

function alertOr(frame: Uint8Array): string {
  const parsed = wire.parseFrame(frame);
  return parsed.name === 'alert' ? wire.alert.decode(parsed).code : parsed.name;
}

describe('a connection of an app', () => {
  it.each<[HostAnswer, readonly string[]]>([
    [ANSWER, ['acknowledgement']],
    [{ status: 'malformed' }, ['badMessage']],
    [{ status: 'busy', retryAfterS: 1 }, ['busy']],
    [{ status: 'failed' }, ['internal']],
    [{ status: 'http', code: 500 }, ['internal']],
    [{ status: 'dropped' }, ['cut off']],
  ])('answers %j with %j', async (answer, expected) => {
    exchange = async () => answer;
    connection.received(FRAME);
    await clock.settle();
    expect(sent).toEqual(expected);
  });

  it('has one frame in work at a time', async () => {
    let working = 0;
    let most = 0;
    exchange = async () => {
      most = Math.max(most, ++working);
      await Promise.resolve();
      working -= 1;
      return ANSWER;
    };
    connection.received(FRAME);
    connection.received(FRAME);
    await clock.settle();
    expect([most, sent]).toEqual([1, ['acknowledgement', 'acknowledgement']]);
  });

  it('says that the stream is broken behind the answers that are due, and ends', async () => {
    connection.received(FRAME);
    connection.broken();
    connection.received(FRAME);
    await clock.settle();
    expect([sent, reasons]).toEqual([['acknowledgement', 'badMessage', 'closed'], ['no frame can be found in the stream']]);
    connection.broken();
    await clock.settle();
    expect(sent).toHaveLength(3);
  });

  it('ends behind its last frame', async () => {
    for (let index = 0; index < 3; index++) {
      connection.received(FRAME);
      await clock.settle();
    }
    expect(sent).toEqual(['acknowledgement', 'acknowledgement', 'acknowledgement', 'closed']);
    connection.received(FRAME);
    await clock.settle();
    expect(sent).toHaveLength(4);
  });

  it('ends when too many frames wait', () => {
    exchange = () => new Promise(() => {});
    for (let index = 0; index < 4; index++) connection.received(FRAME);
    expect([sent, reasons]).toEqual([['cut off'], ['too many frames at once']]);
  });

  it('ends when nothing comes, but not while a frame is in work', async () => {
    let release: (answer: HostAnswer) => void = () => {};
    exchange = () => new Promise((resolve) => (release = resolve));
    await clock.advance(99);
    connection.received(FRAME);
    await clock.advance(500);
    expect(sent).toEqual([]);
    release(ANSWER);
    await clock.advance(99);
    expect(sent).toEqual(['acknowledgement']);
    await clock.advance(1);
    expect([sent.at(-1), reasons]).toEqual(['cut off', ['the connection is idle']]);
  });

  it('ends when it is too old, whatever it does', async () => {
    exchange = () => new Promise(() => {});
    connection.received(FRAME);
    await clock.advance(1_000);
    expect([sent, reasons]).toEqual([['cut off'], ['the connection is too old']]);
  });

  it('that the app left is not answered any more, and has no timers', async () => {
    let release: (answer: HostAnswer) => void = () => {};
    exchange = () => new Promise((resolve) => (release = resolve));
    connection.received(FRAME);
    connection.closed();
    release(ANSWER);
    await clock.advance(10_000);
    expect([sent, reasons]).toEqual([[], []]);
  });
});

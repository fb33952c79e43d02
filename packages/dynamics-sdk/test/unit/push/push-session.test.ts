import { fakeClock } from '@uemkit/protocol/testing';
import * as wire from '@uemkit/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import type { PushHost } from '../../../src/push/push-port.ts';
import { PushSession } from '../../../src/push/push-session.ts';

const CHANNEL = new Uint8Array(16).fill(1);

let session: PushSession;
let heard: string[];
const connection = {
  canPause: false,
  send: () => true,
  pause: () => undefined,
  resume: () => undefined,
  end: () => undefined,
  close: () => heard.push('closed'),
};
const message = (number: number): Uint8Array => wire.pushMessage.encode({ number, channelId: CHANNEL, sealed: new Uint8Array(64) });

beforeEach(() => {
  heard = [];
  const client = {
    channelIds: () => [CHANNEL],
    opened: () => void heard.push('opened'),
    message: ({ number }: wire.PushMessage) => void heard.push(`message ${number}`),
  };
  session = new PushSession({ ports: { clock: fakeClock(0) } } as unknown as PushHost, client, () => void heard.push('ended'));
});

it('keeps what comes while it opens, in its order', () => {
  session.onBytes(message(1));
  session.onBytes(message(2));
  session.begin(connection, [CHANNEL]);
  expect(heard).toEqual(['opened', 'message 1', 'message 2']);
});

it.each<[string, () => void]>([
  ['before it was open', () => session.onClose()],
  [
    'with its connection',
    () => {
      session.begin(connection, [CHANNEL]);
      session.onClose();
    },
  ],
])('keeps nothing that comes after it closed %s', (_name, close) => {
  close();
  const bytes = message(1);
  const kept = vi.spyOn(bytes, 'slice');
  for (let count = 0; count < 100; count++) session.onBytes(bytes);
  expect(kept).not.toHaveBeenCalled();
  expect(heard).not.toContain('message 1');
});

it.each<['onClose' | 'onEnd']>([['onClose'], ['onEnd']])('that hears %s while it opens never is open, and says once that it has ended', (event) => {
  session[event]();
  session.begin(connection, [CHANNEL]);
  expect(heard).toEqual(['closed', 'ended']);
  session.onClose();
  expect(heard).toEqual(['closed', 'ended']);
});

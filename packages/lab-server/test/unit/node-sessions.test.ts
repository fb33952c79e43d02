import { EventEmitter } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { PassThrough } from 'node:stream';
import { seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { createNodeSessions } from '../../src/node/node-sessions.ts';

/** A standing connection whose Proxy never answers. */
class SilentSession extends EventEmitter {
  readonly destroyed = false;
  readonly closed = false;
  request(): PassThrough {
    return new PassThrough();
  }
}

it('many apps wait for one Proxy at once with one listener, and all hear it when its connection is lost (F10.3)', async () => {
  const sessions = createNodeSessions(seededEntropy('node-sessions'));
  const [lost, other] = [new SilentSession(), new SilentSession()];
  sessions.add('lost', lost as unknown as ClientHttp2Session);
  sessions.add('other', other as unknown as ClientHttp2Session);
  const waiting = Array.from({ length: 20 }, () => sessions.open('lost'));
  let isOtherOver = false;
  const elsewhere = sessions.open('other').finally(() => {
    isOtherOver = true;
  });
  expect(lost.listenerCount('close')).toBe(1);
  lost.emit('close');
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
  expect([sessions.has('lost'), isOtherOver]).toEqual([false, false]);
  other.emit('close');
  expect(await elsewhere).toBeUndefined();
});

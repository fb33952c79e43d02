import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { expect, it } from 'vitest';
import { AdminApi } from '../../src/admin/admin-api.ts';
import type { AdminHttp } from '../../src/admin/admin-http.ts';

/** A server that can be away. `ask` tells how a request has ended that is made now, after each of these times. */
function server() {
  const clock = fakeClock(0);
  let isAway = false;
  const http = {
    async request() {
      if (isAway) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      return 'answered';
    },
  } as unknown as AdminHttp;
  const api = new AdminApi({ http, clock, entropy: seededEntropy('patience') });
  return {
    isAway: (away: boolean): void => {
      isAway = away;
    },
    ask() {
      let end: unknown = 'open';
      const ended = (result: unknown): void => {
        end = result;
      };
      api.repeatable({ method: 'GET', path: '/' }).then(ended, (error: { readonly code: string }) => ended(error.code));
      return async (afterMs: number) => {
        await clock.advance(afterMs);
        return end;
      };
    },
  };
}

it('a server that never answered counts as wrong after 45 seconds', async () => {
  const { isAway, ask } = server();
  isAway(true);
  const end = ask();
  expect(await end(35_000)).toBe('open');
  expect(await end(15_000)).toBe('ECONNREFUSED');
});

it('a server that was there is waited for, three minutes long', async () => {
  const { isAway, ask } = server();
  expect(await ask()(0)).toBe('answered');
  isAway(true);
  const first = ask();
  expect(await first(160_000)).toBe('open');
  isAway(false);
  expect(await first(6_000)).toBe('answered');
  isAway(true);
  expect(await ask()(190_000)).toBe('ECONNREFUSED');
});

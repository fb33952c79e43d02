import createClient from 'openapi-fetch';
import { expect, it } from 'vitest';
import { follow } from '../src/events.ts';
import type { paths } from '../src/generated/admin-api.d.ts';

/** A server that gives these answers one after the other. */
function serverOf(...answers: readonly (() => Response)[]): { readonly api: ReturnType<typeof createClient<paths>>; readonly asked: string[] } {
  const asked: string[] = [];
  const send = async (request: Request): Promise<Response> => {
    asked.push(new URL(request.url).search);
    return (answers[asked.length - 1] as () => Response)();
  };
  return { api: createClient<paths>({ baseUrl: 'https://lab.example', fetch: send }), asked };
}

const refusal = (status: number, id: string) => () => Response.json({ id, message: '' }, { status });
const lines = (...given: readonly object[]) => new Response(given.map((line) => `${JSON.stringify(line)}\n`).join(''));

it('the stream of events goes on where it was when the server ends it, is busy or cannot be reached, and gives up when events are gone', async () => {
  const { api, asked } = serverOf(
    () => lines({ sequence: 8, position: 'e-8', type: 'USER_CREATED' }, { type: 'END', reason: 'SERVER_STOPS', last: 'e-8' }),
    refusal(503, 'BUSY'),
    () => {
      throw new TypeError('fetch failed');
    },
    () => lines({ sequence: 9, position: 'f-9', type: 'USER_DELETED' }),
    refusal(410, 'EVENTS_DROPPED'),
  );
  const seen: number[] = [];
  const all = async (): Promise<void> => {
    for await (const { sequence } of follow(api, 'e-7', 0)) seen.push(sequence);
  };
  await expect(all()).rejects.toMatchObject({ id: 'EVENTS_DROPPED' });
  expect(seen).toEqual([8, 9]);
  expect(asked).toEqual(['?after=e-7', '?after=e-8', '?after=e-8', '?after=e-8', '?after=f-9']);
});

it('the stream of events ends when the server goes on from a backup that is older than the position: nothing is skipped in silence', async () => {
  const { api, asked } = serverOf(() => lines({ sequence: 8, position: 'e-8', type: 'USER_CREATED' }), refusal(410, 'POSITION_UNKNOWN'));
  const all = async (): Promise<void> => {
    for await (const { sequence } of follow(api, 'e-7', 0)) expect(sequence).toBe(8);
  };
  await expect(all()).rejects.toMatchObject({ id: 'POSITION_UNKNOWN' });
  expect(asked).toEqual(['?after=e-7', '?after=e-8']);
});

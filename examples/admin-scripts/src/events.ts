import { type Api, answered, Refused } from './api.ts';
import type { components } from './generated/admin-api.d.ts';

/** One thing that happened. */
export type Event = components['schemas']['Event'];

/** Position of the newest event: take it before doing something, and nothing that follows from it is missed. */
export async function newestEvent(api: Api): Promise<string> {
  const page = await answered('events', api.GET('/events', { params: { query: { limit: 1 } } }));
  return (page as components['schemas']['Events']).last;
}

/**
 * Follows the events after a position. When the connection breaks, or the server is started again, it goes on where it was; the caller ends it with `break`.
 * @throws Refused `EVENTS_DROPPED` when it was away for so long that events are gone, and `POSITION_UNKNOWN` when the server goes on from a backup that is older than the position: then the
 * state has to be read anew
 */
export async function* follow(api: Api, after: string, retryMs = 500): AsyncGenerator<Event> {
  let position = after;
  let failures = 0;
  for (;;) {
    const ended = new AbortController();
    try {
      const headers = { accept: 'application/x-ndjson' };
      const call = api.GET('/events', { params: { query: { after: position } }, headers, parseAs: 'stream', signal: ended.signal });
      for await (const line of linesOf((await answered('events', call)) as unknown as ReadableStream<Uint8Array>)) {
        failures = 0;
        const event = JSON.parse(line) as components['schemas']['EventLine'];
        // HEARTBEAT says that the server is there, END that it goes away.
        if (!('sequence' in event)) continue;
        position = event.position;
        yield event;
      }
    } catch (error) {
      // A lost connection is a TypeError of fetch, and a server that is being stopped says BUSY; any other answer is for the caller.
      const mayPass = error instanceof TypeError || (error instanceof Refused && error.id === 'BUSY');
      if (!mayPass || ++failures > 20) throw error;
    } finally {
      ended.abort();
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
}

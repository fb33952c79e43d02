import type { Clock } from '@uemkit/protocol';
import { AdminProblem } from '../admin/problem.ts';
import { deviceById } from '../state/devices.ts';
import { eventEpochs, eventPosition, sequenceOfPosition } from '../state/event-epochs.ts';
import { type EventRecord, firstEventSequence, lastEventSequence, listEvents } from '../state/events.ts';
import type { ReadView } from '../store/lab-store.ts';
import type { WatchedStore } from '../store/watched-store.ts';
import { createEventStream, type EventStream, type PlacedEvent } from './event-stream.ts';

/** Streams of events that may be open at once; each is a connection that an administrator's program holds. */
export const MAX_EVENT_STREAMS = 32;

/** Streams of one administrator: whoever opens more leaves room for the others. */
export const MAX_EVENT_STREAMS_EACH = 8;

/** Most events of one page, and of one step of a stream: what a slow reader can make the server hold. */
export const MAX_EVENT_PAGE = 1_000;

/** Part of the events. */
export interface EventPage {
  readonly events: readonly PlacedEvent[];
  /** Position of the oldest event that is kept; undefined when there is none. */
  readonly first: string | undefined;
  /** Position of the newest event, or the one before the first. */
  readonly last: string;
}

/** Where to begin: after this position; absent: with the oldest event that is kept. */
export type EventPosition = string | undefined;

/** What happened, for programs of administrators: read in pages, or followed. */
export interface EventFeed {
  /** @throws AdminProblem `EVENTS_DROPPED` when events after the position are not kept any more, `POSITION_UNKNOWN` for one that this state has never given out */
  page(query: { readonly after: EventPosition; readonly limit: number }): EventPage;
  /**
   * Follows the events as long as `mayRead` is true; whoever gets it has to close it.
   * @param username whose stream it is
   * @throws AdminProblem as `page`, and `BUSY` when there are too many streams, of this administrator or of all
   */
  follow(after: EventPosition, username: string, mayRead: () => boolean): EventStream;
  /** Ends all streams, each after its last line. */
  close(): void;
}

export function createEventFeed({ clock, store }: { readonly clock: Clock; readonly store: WatchedStore }): EventFeed {
  // BOUNDED by MAX_EVENT_STREAMS.
  const streams = new Map<EventStream, string>();
  let isClosed = false;

  const page = ({ after, limit }: { readonly after: EventPosition; readonly limit: number }): EventPage & { readonly from: string } =>
    store.read((view) => {
      const first = firstEventSequence(view);
      const last = lastEventSequence(view);
      const epochs = eventEpochs(view);
      const position = after === undefined ? first - 1 : sequenceOfPosition(epochs, last, after);
      if (position === undefined)
        throw new AdminProblem(
          'POSITION_UNKNOWN',
          'this state of the server has never given out this position; read the state anew, and begin again without after',
        );
      if (position < first - 1)
        throw new AdminProblem('EVENTS_DROPPED', `events up to ${first - 1} are not kept any more; read the state anew, and begin again without after`);
      const events = listEvents(view, { after: position, limit: Math.min(limit, MAX_EVENT_PAGE) });
      const at = (sequence: number): string => eventPosition(epochs, sequence);
      return {
        events: events.map((event) => ({ ...withUser(view, event), position: at(event.sequence) })),
        first: first > last ? undefined : at(first),
        last: at(last),
        from: at(position),
      };
    });

  return {
    page,
    follow(after, username, mayRead) {
      const { from } = page({ after, limit: 1 });
      if (isClosed) throw new AdminProblem('BUSY', 'the server is being stopped', { 'retry-after': '1' });
      if (streams.size >= MAX_EVENT_STREAMS) throw new AdminProblem('BUSY', `${streams.size} programs follow the events already`, { 'retry-after': '10' });
      const own = [...streams.values()].filter((name) => name === username).length;
      if (own >= MAX_EVENT_STREAMS_EACH) throw new AdminProblem('BUSY', `${own} programs of ${username} follow the events already`, { 'retry-after': '10' });
      const stream = createEventStream({
        clock,
        after: from,
        mayRead,
        read: (position) => page({ after: position, limit: MAX_EVENT_PAGE }).events,
        onNews: (listener) => store.onCommit(listener),
        closed: () => void streams.delete(stream),
      });
      streams.set(stream, username);
      return stream;
    },
    close() {
      isClosed = true;
      for (const stream of [...streams.keys()]) stream.end();
    },
  };
}

/** Events of commands do not carry the user: it is looked up when somebody reads them. */
function withUser(view: ReadView, event: EventRecord): EventRecord {
  if (event.userGuid !== undefined || event.deviceId === undefined) return event;
  return { ...event, userGuid: deviceById(view, event.deviceId)?.userGuid };
}

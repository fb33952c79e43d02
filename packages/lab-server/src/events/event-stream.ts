import type { CancelTimer, Clock } from '@uemkit/protocol';
import { AdminProblem } from '../admin/problem.ts';
import type { EventRecord } from '../state/events.ts';

/** A stream that says nothing else says at least so often that it is there. */
export const HEARTBEAT_MS = 15_000;

/** What happens shortly after the first news goes with them: a busy server does not send each event alone. */
const GATHER_MS = 20;

/**
 * Why a stream ends by itself: the server stops, the reader was so slow that its next events are not kept any more, or it may not read them any more
 * (the administrator was deleted, or the value for the Authorization header has expired).
 */
export const STREAM_ENDS = ['SERVER_STOPS', 'EVENTS_DROPPED', 'NOT_AUTHENTICATED'] as const;

export type StreamEnd = (typeof STREAM_ENDS)[number];

/** An event where it stands. */
export interface PlacedEvent extends EventRecord {
  /** `<epoch>-<sequence>`. */
  readonly position: string;
}

/** One step of a stream. `last` is the position of the last event that was given. */
export type StreamStep =
  | { readonly kind: 'events'; readonly events: readonly PlacedEvent[] }
  | { readonly kind: 'heartbeat'; readonly timeMs: number; readonly last: string }
  | { readonly kind: 'end'; readonly timeMs: number; readonly last: string; readonly reason: StreamEnd };

/** Events one after the other, as fast as they are taken: nothing is read ahead, so a slow reader costs one step of memory. */
export interface EventStream {
  /** The next step; undefined after the last one. One call at a time. */
  next(): Promise<StreamStep | undefined>;
  /** Ends it from the side of the server: one last step says so. */
  end(): void;
  /** The reader is gone: nothing more comes. */
  close(): void;
}

export interface EventStreamOptions {
  readonly clock: Clock;
  /** Position of the event before the first one. */
  readonly after: string;
  /** Asked before each step: what was true when the stream began may have ended. */
  mayRead(): boolean;
  /** The next events after a position. @throws AdminProblem `EVENTS_DROPPED` */
  read(position: string): readonly PlacedEvent[];
  /** Called when there may be something new; gives the function that ends it. */
  onNews(listener: () => void): () => void;
  /** Called once, when the stream is over. */
  closed(): void;
}

export function createEventStream(options: EventStreamOptions): EventStream {
  const { clock } = options;
  let position = options.after;
  let state: 'open' | 'ending' | 'over' = 'open';
  let wakeUp: (() => void) | undefined;

  const over = (): void => {
    if (state === 'over') return;
    state = 'over';
    options.closed();
    wakeUp?.();
  };

  const last = (reason: StreamEnd): StreamStep => {
    over();
    return { kind: 'end', timeMs: clock.nowMs(), last: position, reason };
  };

  /** What is there now; undefined: nothing. */
  const available = (): StreamStep | undefined => {
    if (state === 'ending') return last('SERVER_STOPS');
    if (!options.mayRead()) return last('NOT_AUTHENTICATED');
    let events: readonly PlacedEvent[];
    try {
      events = options.read(position);
    } catch (error) {
      if (error instanceof AdminProblem) return last('EVENTS_DROPPED');
      throw error;
    }
    position = events.at(-1)?.position ?? position;
    return events.length === 0 ? undefined : { kind: 'events', events };
  };

  /** Resolves with true when nothing came for the time of a heartbeat. */
  const somethingNew = (): Promise<boolean> =>
    new Promise((resolve) => {
      const settle = (isSilent: boolean): void => {
        wakeUp = undefined;
        stopListening();
        cancelTimer();
        resolve(isSilent);
      };
      let cancelTimer: CancelTimer = clock.setTimer(HEARTBEAT_MS, () => settle(true));
      wakeUp = () => settle(false);
      const stopListening = options.onNews(() => {
        stopListening();
        cancelTimer();
        cancelTimer = clock.setTimer(GATHER_MS, () => settle(false));
      });
    });

  return {
    async next() {
      let isSilent = false;
      while (state !== 'over') {
        const step = available();
        if (step !== undefined) return step;
        if (isSilent) return { kind: 'heartbeat', timeMs: clock.nowMs(), last: position };
        isSilent = await somethingNew();
      }
      return undefined;
    },
    end() {
      if (state !== 'open') return;
      state = 'ending';
      wakeUp?.();
    },
    close: over,
  };
}

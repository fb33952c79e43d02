import * as v from 'valibot';
import { AdminProblem } from '../admin/problem.ts';
import { type EventFeed, MAX_EVENT_PAGE } from '../events/event-feed.ts';
import { type EventStream, type PlacedEvent, STREAM_ENDS, type StreamStep } from '../events/event-stream.ts';
import { DOCUMENT_NAMES } from '../state/deliveries.ts';
import { EVENT_TYPES, type EventType } from '../state/events.ts';
import { component, guidText, timeText, type ViewSchema } from './components.ts';
import { PAGE_DEFAULT } from './paging.ts';
import { wholeNumberText } from './query.ts';
import type { RestStream } from './rest-request.ts';
import { type QuerySchema, type Route, route } from './route.ts';
import { timeOf, type View } from './views.ts';

const TYPES = Object.keys(EVENT_TYPES) as [EventType, ...EventType[]];
const number = v.pipe(v.number(), v.integer(), v.minValue(0));

const eventView: ViewSchema = component(
  'Event',
  v.strictObject({
    sequence: v.pipe(number, v.description('Counts from 1 without gaps')),
    position: v.pipe(v.string(), v.description('Where the event stands: what after takes')),
    time: timeText,
    type: v.pipe(
      v.picklist(TYPES),
      v.description(
        Object.entries(EVENT_TYPES)
          .map(([type, is]) => `${type}: ${is}`)
          .join('. '),
      ),
    ),
    user: v.optional(v.strictObject({ guid: guidText })),
    device: v.optional(v.strictObject({ guid: guidText })),
    command: v.optional(v.strictObject({ guid: guidText, type: v.string() })),
    accessKey: v.optional(v.strictObject({ guid: guidText })),
    applicationId: v.optional(v.pipe(v.string(), v.description('Entitlement id of a Dynamics app'))),
    refusal: v.optional(v.pipe(v.string(), v.description('Rule that refused an activation, as in ActivationRefusal'))),
    document: v.optional(v.picklist(DOCUMENT_NAMES)),
    revision: v.optional(number),
    rule: v.optional(v.pipe(v.string(), v.description('Rule of the compliance profile'))),
    action: v.optional(v.string()),
    reason: v.optional(v.pipe(v.string(), v.description('In words'))),
  }),
);
const bounds = {
  first: v.optional(v.pipe(v.string(), v.description('Position of the oldest event that is kept; absent when there is none'))),
  last: v.pipe(v.string(), v.description('Position of the newest event')),
};
const eventsView: ViewSchema = component('Events', v.strictObject({ events: v.array(eventView), ...bounds }));

const lastTold = v.pipe(v.string(), v.description('Position of the last event that this stream has told'));
const heartbeatView: ViewSchema = component('EventHeartbeat', v.strictObject({ type: v.literal('HEARTBEAT'), time: timeText, last: lastTold }));
const endView: ViewSchema = component(
  'EventStreamEnd',
  v.strictObject({ type: v.literal('END'), reason: v.picklist(STREAM_ENDS), time: timeText, last: lastTold }),
);
/** One line of the stream. */
const lineView: ViewSchema = component('EventLine', v.union([eventView, heartbeatView, endView] as const));

const eventQuery: QuerySchema<{ readonly after?: string | undefined; readonly limit?: number | undefined }> = v.strictObject({
  after: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(?:\d{1,16}|[0-9a-f]{16}-\d{1,15})$/, 'is not a position of an event'),
      v.description('Position of the last event that is known; absent: from the oldest one that is kept'),
    ),
  ),
  limit: v.optional(v.pipe(wholeNumberText(1, MAX_EVENT_PAGE), v.description('Most events of the page; not for the stream'))),
});

/** What happened to users, devices and commands, in order (ours). */
export function eventRoutes(events: EventFeed): readonly Route[] {
  return [
    route({
      id: 'readEvents',
      method: 'GET',
      path: '/events',
      summary: 'Reads what happened to users, devices and commands, the oldest first; as a stream for who accepts application/x-ndjson',
      tag: 'events',
      role: 'readOnly',
      query: eventQuery,
      answers: { 200: { noun: 'events', schema: eventsView, lines: lineView } },
      problems: ['EVENTS_DROPPED', 'POSITION_UNKNOWN', 'BUSY'],
      run({ query: { after, limit }, wantsLines, mayStillCall, caller }) {
        if (wantsLines) {
          if (limit !== undefined) throw new AdminProblem('INVALID_QUERY', 'limit is for pages; a stream goes on until one side ends it');
          return { status: 200, stream: linesOf(events.follow(after, caller.username, mayStillCall)) };
        }
        const { events: found, first, last } = events.page({ after, limit: limit ?? PAGE_DEFAULT });
        return { status: 200, body: { events: found.map(viewOf), first, last } };
      },
    }),
  ];
}

function linesOf(stream: EventStream): RestStream {
  return {
    async next() {
      const step = await stream.next();
      return step === undefined
        ? undefined
        : linesOfStep(step)
            .map((line) => `${JSON.stringify(line)}\n`)
            .join('');
    },
    end: () => stream.end(),
    close: () => stream.close(),
  };
}

function linesOfStep(step: StreamStep): readonly View[] {
  if (step.kind === 'events') return step.events.map(viewOf);
  const about = { time: timeOf(step.timeMs), last: step.last };
  return [step.kind === 'heartbeat' ? { type: 'HEARTBEAT', ...about } : { type: 'END', reason: step.reason, ...about }];
}

function viewOf({ sequence, position, timeMs, type, userGuid, deviceId, commandId, commandType, keyId, ...rest }: PlacedEvent): View {
  return {
    sequence,
    position,
    time: timeOf(timeMs),
    type,
    user: userGuid === undefined ? undefined : { guid: userGuid },
    device: deviceId === undefined ? undefined : { guid: deviceId },
    command: commandId === undefined ? undefined : { guid: commandId, type: commandType },
    accessKey: keyId === undefined ? undefined : { guid: keyId },
    ...rest,
  };
}

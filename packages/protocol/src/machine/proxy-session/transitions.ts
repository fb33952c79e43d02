import type { Transition } from '../table.ts';

/** States of one stream. `ended`: forgotten, and its number is not used again. */
export type StreamState = 'new' | 'opening' | 'open' | 'sentEnd' | 'receivedEnd' | 'ended';

type Row = Transition<'stream', StreamState>;

const STEP = 'F10.4';

function row(state: StreamState, input: string, next: StreamState): Row {
  return { role: 'stream', state, input, next, step: STEP };
}

/** One table for both ends of a stream. What has no row is refused: by `ERR_USAGE_STATE` from the owner, and from the peer by the end of the session. */
export const STREAM_TRANSITIONS: readonly Row[] = [
  row('new', 'open sent', 'opening'),
  row('new', 'open received', 'opening'),
  row('opening', 'opened received', 'open'),
  row('opening', 'accepted', 'open'),
  row('opening', 'refused received', 'ended'),
  row('opening', 'refused', 'ended'),
  row('opening', 'reset sent', 'ended'),
  row('opening', 'reset received', 'ended'),
  row('open', 'data sent', 'open'),
  row('open', 'data received', 'open'),
  row('open', 'end sent', 'sentEnd'),
  row('open', 'end received', 'receivedEnd'),
  row('open', 'reset sent', 'ended'),
  row('open', 'reset received', 'ended'),
  row('sentEnd', 'data received', 'sentEnd'),
  row('sentEnd', 'end received', 'ended'),
  row('sentEnd', 'reset sent', 'ended'),
  row('sentEnd', 'reset received', 'ended'),
  row('receivedEnd', 'data sent', 'receivedEnd'),
  row('receivedEnd', 'end sent', 'ended'),
  row('receivedEnd', 'reset sent', 'ended'),
  row('receivedEnd', 'reset received', 'ended'),
];

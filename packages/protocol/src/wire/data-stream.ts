import { dataCodec, type StreamData } from './data-codec.ts';
import { host, port } from './destination.ts';
import { type MessageCodec, message } from './frame.ts';
import type { FrameName } from './frame-types.ts';
import { LIMITS } from './limits.ts';
import { bytes, type FieldType, numbered, required, structure, uint } from './schema.ts';

export { dataBytesOfTlsRecord, type StreamData } from './data-codec.ts';

/** Frames of the streams of a session (0x90 to 0x98). */
export const STREAM_FRAMES: ReadonlySet<FrameName> = new Set<FrameName>([
  'streamOpen',
  'streamOpened',
  'streamRefused',
  'streamData',
  'streamEnd',
  'streamReset',
  'streamCredit',
  'streamPing',
  'streamPong',
]);

/** Names a stream of one session of `px`: the app counts up, and no number comes twice. */
const streamId: FieldType<number> = uint(0, 0xffff_ffff);

/** The app wants a stream to a server (F10.4). */
export interface StreamOpen {
  readonly streamId: number;
  /** DNS name or IP address, resolved by the Proxy. */
  readonly host: string;
  readonly port: number;
}

export const streamOpen: MessageCodec<StreamOpen> = message(
  'streamOpen',
  structure<StreamOpen>({ streamId: required(0, streamId), host: required(1, host), port: required(2, port) }),
);

/** The server is connected. */
export interface StreamOpened {
  readonly streamId: number;
}

export const streamOpened: MessageCodec<StreamOpened> = message('streamOpened', structure<StreamOpened>({ streamId: required(0, streamId) }));

/** Why there is no stream. */
export type StreamRefusal = 'denied' | 'unreachable' | 'unknownHost' | 'timeout' | 'busy';

export interface StreamRefused {
  readonly streamId: number;
  readonly reason: StreamRefusal;
}

export const streamRefused: MessageCodec<StreamRefused> = message(
  'streamRefused',
  structure<StreamRefused>({
    streamId: required(0, streamId),
    reason: required(1, numbered<StreamRefusal>('denied', 'unreachable', 'unknownHost', 'timeout', 'busy')),
  }),
);

/** The bytes of a decoded message are a view of its frame. */
export const streamData: MessageCodec<StreamData> = dataCodec(
  message('streamData', structure<StreamData>({ streamId: required(0, streamId), bytes: required(1, bytes(1, LIMITS.streamDataBytes)) })),
);

/** The sender has sent all; the other direction goes on. */
export interface StreamEnd {
  readonly streamId: number;
}

export const streamEnd: MessageCodec<StreamEnd> = message('streamEnd', structure<StreamEnd>({ streamId: required(0, streamId) }));

/** Why a stream broke: its user gave it up, or the connection to the server broke. */
export type StreamBreak = 'cancelled' | 'lost';

/** Both directions end at once. */
export interface StreamReset {
  readonly streamId: number;
  readonly reason: StreamBreak;
}

export const streamReset: MessageCodec<StreamReset> = message(
  'streamReset',
  structure<StreamReset>({ streamId: required(0, streamId), reason: required(1, numbered<StreamBreak>('cancelled', 'lost')) }),
);

/** So many more bytes may come on this stream. */
export interface StreamCredit {
  readonly streamId: number;
  readonly bytes: number;
}

export const streamCredit: MessageCodec<StreamCredit> = message(
  'streamCredit',
  structure<StreamCredit>({ streamId: required(0, streamId), bytes: required(1, uint(1, LIMITS.streamWindowBytes)) }),
);

/** Is the other end there? */
export interface StreamProbe {
  readonly number: number;
}

export const streamPing: MessageCodec<StreamProbe> = message('streamPing', structure<StreamProbe>({ number: required(0, streamId) }));
export const streamPong: MessageCodec<StreamProbe> = message('streamPong', structure<StreamProbe>({ number: required(0, streamId) }));

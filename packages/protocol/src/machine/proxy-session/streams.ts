import { ProtocolError } from '../../errors/protocol-error.ts';
import * as data from '../../wire/data-stream.ts';
import type { Frame } from '../../wire/frame.ts';
import { StateCell, type TransitionListener } from '../table.ts';
import type { SessionCall, SessionEvent } from './session-types.ts';
import { STREAM_TRANSITIONS, type StreamState } from './transitions.ts';

export interface StreamsOptions {
  /** Who opens streams. */
  readonly role: 'app' | 'proxy';
  readonly openStreams: number;
  readonly windowBytes: number;
  /** Most bytes of this stream that go into one frame. */
  dataBytes(streamId: number): number;
  readonly onTransition?: TransitionListener | undefined;
  /** A frame for the other end. */
  send(frame: Uint8Array): void;
  sendData(message: data.StreamData): void;
  emit(event: SessionEvent): void;
}

interface Stream {
  readonly id: number;
  readonly cell: StateCell<StreamState>;
  /** Bytes that we may send. */
  credit: number;
  /** Bytes that the other end may send. */
  room: number;
  /** Bytes that were read here and not reported yet. */
  read: number;
}

/**
 * The streams of one session: who may send how much on which of them. Each direction of a stream is at most a window ahead of its reader, so that one slow reader stops
 * neither the others nor the memory of anybody. Knows frames, not how they are protected.
 */
export class Streams {
  readonly #options: StreamsOptions;
  // BOUNDED by openStreams.
  readonly #streams = new Map<number, Stream>();
  /** Numbers up to this one have been used. */
  #lastId = -1;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#streams.size;
  }

  /** Bytes that may be written now; 0 for a stream that is not open. */
  credit(streamId: number): number {
    const stream = this.#streams.get(streamId);
    return stream?.cell.accepts('data sent') === true ? stream.credit : 0;
  }

  /** @throws ProtocolError `ERR_USAGE_STATE`, `ERR_USAGE_ARGUMENT`, `ERR_REJECTED_BUSY` (too many streams) */
  call(call: Exclude<SessionCall, { readonly type: 'close' }>): void {
    if (call.type === 'open') return this.#begin(call);
    const stream = this.#streams.get(call.streamId);
    if (stream === undefined) return;
    const { streamId } = call;
    switch (call.type) {
      case 'accept':
        this.#own(stream, 'accepted');
        return this.#options.send(data.streamOpened.encode({ streamId }));
      case 'refuse':
        this.#own(stream, 'refused');
        return this.#options.send(data.streamRefused.encode({ streamId, reason: call.reason }));
      case 'write':
        return this.#write(stream, call.bytes);
      case 'end':
        this.#own(stream, 'end sent');
        return this.#options.send(data.streamEnd.encode({ streamId }));
      case 'reset':
        this.#own(stream, 'reset sent');
        return this.#options.send(data.streamReset.encode({ streamId, reason: call.reason }));
      case 'consumed':
        return this.#consumed(stream, call.bytes);
    }
  }

  #begin({ streamId, host, port }: Extract<SessionCall, { readonly type: 'open' }>): void {
    const { role, openStreams, send } = this.#options;
    if (role !== 'app' || streamId <= this.#lastId) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'the number of a stream goes up, and the app opens it');
    if (this.#streams.size >= openStreams) throw new ProtocolError('ERR_REJECTED_BUSY', 'too many streams are open');
    const frame = data.streamOpen.encode({ streamId, host, port });
    this.#add(streamId, 'open sent');
    send(frame);
  }

  #write(stream: Stream, bytes: Uint8Array): void {
    if (bytes.length > stream.credit) throw new ProtocolError('ERR_USAGE_STATE', 'more bytes than the other end has room for');
    this.#own(stream, 'data sent');
    stream.credit -= bytes.length;
    const most = this.#options.dataBytes(stream.id);
    for (let at = 0; at < bytes.length; at += most) this.#options.sendData({ streamId: stream.id, bytes: bytes.subarray(at, at + most) });
  }

  /** Credit goes back in halves of a window: one small frame for many. */
  #consumed(stream: Stream, bytes: number): void {
    const { windowBytes, send } = this.#options;
    if (stream.room + stream.read + bytes > windowBytes) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'more bytes were read than came');
    stream.read += bytes;
    // Who has sent all needs no room any more.
    if (stream.read * 2 < windowBytes || !stream.cell.accepts('data received')) return;
    stream.room += stream.read;
    send(data.streamCredit.encode({ streamId: stream.id, bytes: stream.read }));
    stream.read = 0;
  }

  /** One frame of the other end. @throws ProtocolError when it breaks a rule: the session ends */
  receive(frame: Frame): void {
    switch (frame.name) {
      case 'streamOpen':
        return this.#opening(data.streamOpen.decode(frame));
      case 'streamOpened': {
        const { streamId } = data.streamOpened.decode(frame);
        return this.#peer(streamId, 'opened received', () => ({ type: 'opened', streamId }));
      }
      case 'streamRefused': {
        const { streamId, reason } = data.streamRefused.decode(frame);
        return this.#peer(streamId, 'refused received', () => ({ type: 'refused', streamId, reason }));
      }
      case 'streamData':
        return this.#data(data.streamData.decode(frame));
      case 'streamEnd': {
        const { streamId } = data.streamEnd.decode(frame);
        return this.#peer(streamId, 'end received', () => ({ type: 'ended', streamId }));
      }
      case 'streamReset': {
        const { streamId, reason } = data.streamReset.decode(frame);
        return this.#peer(streamId, 'reset received', () => ({ type: 'reset', streamId, reason }));
      }
      case 'streamCredit':
        return this.#credited(data.streamCredit.decode(frame));
      default:
        // check: PX only frames of streams
        throw new ProtocolError('ERR_WIRE_TYPE', `${frame.name} does not belong into a session`);
    }
  }

  #opening({ streamId, host, port }: data.StreamOpen): void {
    const { role, openStreams, send, emit } = this.#options;
    // check: PX the app opens streams
    if (role !== 'proxy') throw new ProtocolError('ERR_PEER_UNEXPECTED', 'a Proxy opens no streams');
    // check: PX numbers of streams go up
    if (streamId <= this.#lastId) throw new ProtocolError('ERR_PEER_REPLAY', 'the number of a stream comes twice');
    // check: PX open streams
    if (this.#streams.size >= openStreams) {
      this.#lastId = streamId;
      return send(data.streamRefused.encode({ streamId, reason: 'busy' }));
    }
    this.#add(streamId, 'open received');
    emit({ type: 'opening', streamId, host, port });
  }

  #data({ streamId, bytes }: data.StreamData): void {
    const stream = this.#known(streamId);
    if (stream === undefined) return;
    // check: PX room of a stream
    if (bytes.length > stream.room) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'more bytes came than there is room for');
    stream.room -= bytes.length;
    this.#peer(streamId, 'data received', () => ({ type: 'data', streamId, bytes }));
  }

  #credited({ streamId, bytes }: data.StreamCredit): void {
    const stream = this.#known(streamId);
    if (stream === undefined) return;
    // check: PX credit within the window
    if (stream.credit + bytes > this.#options.windowBytes) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'more room was given than a window has');
    stream.credit += bytes;
    if (stream.cell.accepts('data sent')) this.#options.emit({ type: 'credit', streamId });
  }

  #add(streamId: number, input: string): void {
    this.#lastId = streamId;
    const { windowBytes, onTransition } = this.#options;
    const cell = new StateCell(STREAM_TRANSITIONS, 'stream', 'new', onTransition);
    cell.take(input);
    this.#streams.set(streamId, { id: streamId, cell, credit: windowBytes, room: windowBytes, read: 0 });
  }

  /** A stream that lives; undefined for one that has ended, since frames of the other end may still be on their way. */
  #known(streamId: number): Stream | undefined {
    // check: PX the stream was opened
    if (streamId > this.#lastId) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'nobody has opened this stream');
    return this.#streams.get(streamId);
  }

  /** What the owner does with a stream. */
  #own(stream: Stream, input: string): void {
    if (!stream.cell.accepts(input)) throw new ProtocolError('ERR_USAGE_STATE', `a stream that is ${stream.cell.state} takes no "${input}"`);
    this.#take(stream, input);
  }

  /** What the other end does with a stream. */
  #peer(streamId: number, input: string, event: () => SessionEvent): void {
    const stream = this.#known(streamId);
    if (stream === undefined) return;
    // check: PX order of a stream
    if (!stream.cell.accepts(input)) throw new ProtocolError('ERR_PEER_UNEXPECTED', `a stream that is ${stream.cell.state} takes no "${input}"`);
    this.#take(stream, input);
    this.#options.emit(event());
  }

  #take(stream: Stream, input: string): void {
    if (stream.cell.take(input).next === 'ended') this.#streams.delete(stream.id);
  }
}

import { ProtocolError } from '../../errors/protocol-error.ts';
import { HANDSHAKES } from '../../key-schedule/handshake-instances.ts';
import { CBC_RECORD_TYPE } from '../../record/cbc-layout.ts';
import { gcmRecordName } from '../../record/gcm-layout.ts';
import { createRecordStream } from '../../record/record-stream.ts';
import { STREAM_FRAMES } from '../../wire/data-stream.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { frameParser } from '../../wire/stream.ts';

/** Cuts what one end of a channel receives, in pieces of any size. */
export interface HandshakeStream {
  /**
   * The handshake frames, and after them the records, that `chunk` completes. They may be views of `chunk`.
   * @throws ProtocolError `ERR_WIRE_*`: the connection is to be closed. A stream that was refused stays refused.
   */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** The stream has ended. @throws ProtocolError `ERR_WIRE_TRUNCATED`, `ERR_TRANSPORT_CLOSED` inside a frame or a record. */
  end(): void;
}

/**
 * What `sender` sends over a stream of bytes in `ipc`, `ipcd`, `px` or `svc`: frames, told from records by their first byte, then records only
 * (docs/protocol/03-handshake.md, 3.10); in `dc` the TLS connection below protects what follows, and the frames of streams stand there as they are. Holds one unfinished
 * frame, or one unfinished record.
 * @param opensAtOnce the caller needs no record after the next call, so that memory can be written into again
 */
export function handshakeStream(name: 'ipc' | 'ipcd' | 'px' | 'dc' | 'svc', sender: 'initiator' | 'responder', opensAtOnce = false): HandshakeStream {
  const { trailerBytes, bodyBytes, records: kind } = HANDSHAKES[name];
  const isRecord = (first: number): boolean => (kind === 'gcm' ? gcmRecordName(first) !== undefined : kind === 'cbc' && first === CBC_RECORD_TYPE);
  const trailers: Readonly<Partial<Record<FrameName, number>>> =
    sender === 'initiator'
      ? { alert: 0, handshakeStart: trailerBytes.start, handshakeFinish: trailerBytes.finish }
      : { alert: 0, handshakeReply: trailerBytes.reply };
  const handshakeBytes = sender === 'initiator' ? Math.max(bodyBytes.start, bodyBytes.finish) : bodyBytes.reply;
  const frames = frameParser({
    maxBodyBytes: kind === 'none' ? Math.max(handshakeBytes, LIMITS.gcmPlaintextBytes) : handshakeBytes,
    trailerBytes(frame) {
      const bytes = trailers[frame] ?? (kind === 'none' && STREAM_FRAMES.has(frame) ? 0 : undefined);
      // check: HC frames of a stream
      if (bytes === undefined) throw new ProtocolError('ERR_WIRE_TYPE', `${frame} does not belong here`);
      return bytes;
    },
    views: kind === 'none',
  });
  const records = createRecordStream(kind === 'gcm' ? 'gcm' : 'cbc', opensAtOnce);
  let recordsBegan = false;
  let inFrame = false;

  return {
    push(chunk) {
      const whole: Uint8Array[] = [];
      for (let rest = chunk; rest.length > 0; ) {
        recordsBegan ||= !inFrame && isRecord(rest[0] as number);
        if (recordsBegan) return [...whole, ...records.push(rest)];
        const cut = frames.next(rest);
        inFrame = cut.frame === undefined;
        if (cut.frame !== undefined) whole.push(cut.frame);
        rest = cut.rest;
      }
      return whole;
    },
    end() {
      frames.end();
      records.end();
    },
  };
}

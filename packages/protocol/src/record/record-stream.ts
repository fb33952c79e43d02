import { ProtocolError } from '../errors/protocol-error.ts';
import { LIMITS } from '../wire/limits.ts';
import { CBC_HEADER_BYTES, CBC_OVERHEAD_BYTES, CBC_RECORD_TYPE, isCbcCiphertextLength } from './cbc-layout.ts';
import { GCM_HEADER_BYTES, GCM_MAX_BODY_BYTES, gcmRecordName, isGcmBodyLength } from './gcm-layout.ts';

/** How records of one kind are told apart in a stream of bytes. */
interface Layout {
  readonly headerBytes: number;
  /** Length of the longest record. */
  readonly maxBytes: number;
  /** Length of the whole record. @throws ProtocolError `ERR_WIRE_TYPE`, `ERR_WIRE_LENGTH` */
  recordBytes(header: Uint8Array): number;
}

const LAYOUTS: Readonly<Record<'cbc' | 'gcm', Layout>> = {
  cbc: {
    headerBytes: CBC_HEADER_BYTES,
    maxBytes: CBC_OVERHEAD_BYTES + LIMITS.cbcCiphertextBytes,
    recordBytes(header) {
      // check: type in a CBC stream
      if (header[0] !== CBC_RECORD_TYPE) throw new ProtocolError('ERR_WIRE_TYPE', 'not a CBC record');
      const ciphertextBytes = new DataView(header.buffer, header.byteOffset).getUint32(10);
      // check: length in a CBC stream
      if (!isCbcCiphertextLength(ciphertextBytes)) throw new ProtocolError('ERR_WIRE_LENGTH', 'ciphertext of a record has an impossible length');
      return CBC_OVERHEAD_BYTES + ciphertextBytes;
    },
  },
  gcm: {
    headerBytes: GCM_HEADER_BYTES,
    maxBytes: GCM_HEADER_BYTES + GCM_MAX_BODY_BYTES,
    recordBytes(header) {
      // check: type in a GCM stream
      if (gcmRecordName(header[0] as number) === undefined) throw new ProtocolError('ERR_WIRE_TYPE', 'not a GCM record');
      const bodyBytes = new DataView(header.buffer, header.byteOffset).getUint16(1);
      // check: length in a GCM stream
      if (!isGcmBodyLength(bodyBytes)) throw new ProtocolError('ERR_WIRE_LENGTH', 'body of a record has an impossible length');
      return GCM_HEADER_BYTES + bodyBytes;
    },
  },
};

/** Cuts a stream of bytes, in pieces of any size, into whole records. */
export interface RecordStream {
  /**
   * The records that `chunk` completes, in order. They may be views of `chunk`.
   * A header is checked as soon as it is there, before anything is kept for a record that cannot be. What came whole before the fault
   * is still given; the fault is thrown then by the next call. After a fault the stream is dead: each call throws it.
   * @throws ProtocolError `ERR_WIRE_TYPE`, `ERR_WIRE_LENGTH`
   */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** To be called when the connection below ends. @throws ProtocolError `ERR_TRANSPORT_CLOSED` when it ends inside a record, or an earlier fault. */
  end(): void;
}

/** What is kept first for a record that is not complete; grows with what really arrives. */
const FIRST_BUFFER_BYTES = 512;

/**
 * A stream of CBC or of GCM records. Keeps less than one record: at most 65,614 or 33,043 bytes.
 * @param opensAtOnce the caller needs no record after the next call, so that memory can be written into again
 */
export function createRecordStream(kind: 'cbc' | 'gcm', opensAtOnce = false): RecordStream {
  const layout = LAYOUTS[kind];
  let kept = new Uint8Array(0);
  // What the last record stood in, while the one after it is kept.
  let spare = new Uint8Array(0);
  let keptBytes = 0;
  let fault: unknown;

  /** Length of the record at the start of `bytes`, or undefined when the header is not complete. */
  function lengthAt(bytes: Uint8Array): number | undefined {
    return bytes.length < layout.headerBytes ? undefined : layout.recordBytes(bytes);
  }

  function keep(bytes: Uint8Array): void {
    const needed = keptBytes + bytes.length;
    if (needed > kept.length) {
      const grown = new Uint8Array(Math.min(layout.maxBytes, Math.max(FIRST_BUFFER_BYTES, 2 * kept.length, needed)));
      grown.set(kept.subarray(0, keptBytes));
      kept = grown;
    }
    kept.set(bytes, keptBytes);
    keptBytes = needed;
  }

  /** Adds to the kept record what belongs to it; gives the record when it is complete, and what is left of the chunk. */
  function complete(chunk: Uint8Array): { readonly record: Uint8Array | undefined; readonly rest: Uint8Array } {
    let rest = chunk;
    for (;;) {
      const wanted = lengthAt(kept.subarray(0, keptBytes)) ?? layout.headerBytes;
      if (keptBytes === wanted && keptBytes > layout.headerBytes) break;
      if (rest.length === 0) return { record: undefined, rest };
      const taken = Math.min(wanted - keptBytes, rest.length);
      keep(rest.subarray(0, taken));
      rest = rest.subarray(taken);
    }
    const record = kept.subarray(0, keptBytes);
    const next = spare;
    if (opensAtOnce) spare = kept;
    kept = next;
    keptBytes = 0;
    return { record, rest };
  }

  function cut(chunk: Uint8Array, records: Uint8Array[]): void {
    let rest = chunk;
    if (keptBytes > 0) {
      const completed = complete(rest);
      if (completed.record === undefined) return;
      records.push(completed.record);
      rest = completed.rest;
    }
    for (let lengthBytes = lengthAt(rest); lengthBytes !== undefined && lengthBytes <= rest.length; lengthBytes = lengthAt(rest)) {
      records.push(rest.subarray(0, lengthBytes));
      rest = rest.subarray(lengthBytes);
    }
    if (rest.length > 0) keep(rest);
  }

  return {
    push(chunk) {
      if (fault !== undefined) throw fault;
      const records: Uint8Array[] = [];
      try {
        cut(chunk, records);
      } catch (error) {
        fault = error;
        if (records.length === 0) throw error;
      }
      return records;
    },
    end() {
      if (fault !== undefined) throw fault;
      // check: end inside a record
      if (keptBytes > 0) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection ended inside a record');
    },
  };
}

import { concatBytes } from '../../bytes/bytes.ts';
import { wipe } from '../../bytes/secret.ts';
import { ProtocolError } from '../../errors/protocol-error.ts';
import type { GcmOpener, GcmSealer } from '../../record/gcm-record.ts';
import { ALERT_CODES, type AlertCode } from '../../wire/alert.ts';
import { type Frame, parseFrame } from '../../wire/frame.ts';
import type { FrameName } from '../../wire/frame-types.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type AttachmentHead, serviceAttachment } from '../../wire/service.ts';
import { frameParser } from '../../wire/stream.ts';
import { errorOfAlert } from '../exchange/alerts.ts';
import type { HandshakeSession, SessionRecords } from '../handshake/handshake-types.ts';
import type { ServiceFile } from './service-types.ts';

/** A session of `svc`. */
export type ServiceSession = HandshakeSession & { readonly records: Extract<SessionRecords, { readonly kind: 'gcm' }> };

/** Timer of both roles: until the other end has come to where it has to be. */
export const SERVICE_TIMER = 'deadline';

/** Reads what the other end sends: a sequence of frames over records. Which of them belong where is for the machine to say. */
export function serviceReader(): (opener: GcmOpener, record: Uint8Array, nowMs: number) => readonly Uint8Array[] {
  const frames = frameParser({ maxBodyBytes: LIMITS.bodyBytes, trailerBytes: () => 0 });
  return (opener, record, nowMs) => {
    const opened = opener.open(record, nowMs);
    if (opened.type === 'key-updated') return [];
    if (opened.type === 'closed') throw closedBy(opened.alert);
    return frames.push(opened.plaintext);
  };
}

/** The session was closed in place of an answer. The record has proved that it was the other end. */
function closedBy(alert: number): ProtocolError {
  const name = (Object.keys(ALERT_CODES) as AlertCode[]).find((code) => ALERT_CODES[code] === alert);
  if (name !== undefined) return errorOfAlert(name);
  return new ProtocolError('ERR_PEER_UNEXPECTED', 'the other app closed the session without an answer', { details: { alert } });
}

/** The whole frame `bytes`, taken apart, if it may come here. @throws ProtocolError `ERR_WIRE_TYPE` */
export function serviceFrame(bytes: Uint8Array, expected: readonly FrameName[] = []): Frame {
  const frame = parseFrame(bytes, { maxBodyBytes: LIMITS.bodyBytes });
  // check: S frames of a session
  if (!expected.includes(frame.name)) throw new ProtocolError('ERR_WIRE_TYPE', `${frame.name} does not belong here`);
  return frame;
}

/** Records of one frame; what it says is wiped. */
export function sealedFrame(sealer: GcmSealer, frame: Uint8Array, nowMs: number): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < frame.length; at += LIMITS.gcmPlaintextBytes) records.push(sealer.sealData(frame.subarray(at, at + LIMITS.gcmPlaintextBytes), nowMs));
  wipe(frame);
  return records;
}

/** Records of attachments, in their order; empty ones need none. */
export function sealedFiles(sealer: GcmSealer, files: readonly ServiceFile[], nowMs: number): readonly Uint8Array[] {
  return files.flatMap(({ bytes }, index) => {
    const records: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += LIMITS.serviceChunkBytes) {
      const chunk = bytes.subarray(at, at + LIMITS.serviceChunkBytes);
      records.push(...sealedFrame(sealer, serviceAttachment.encode({ index, bytes: chunk }), nowMs));
    }
    return records;
  });
}

/** Heads of files. @throws ProtocolError `ERR_WIRE_LIMIT` when they are too much for one message */
export function headsOf(files: readonly ServiceFile[]): readonly AttachmentHead[] {
  return requireRoom(files.map(({ name, bytes }) => ({ name, size: bytes.length })));
}

/** @throws ProtocolError `ERR_WIRE_LIMIT` */
export function requireRoom(heads: readonly AttachmentHead[]): readonly AttachmentHead[] {
  const total = heads.reduce((sum, { size }) => sum + size, 0);
  // check: S attachments together
  if (total > LIMITS.serviceAttachmentsBytes) throw new ProtocolError('ERR_WIRE_LIMIT', 'the attachments are too large together');
  return heads;
}

/** Collects attachments. Keeps what has arrived, and nothing for what was only announced. */
export class FileCollector {
  readonly #heads: readonly AttachmentHead[];
  /** BOUNDED by the sizes of the heads, which `requireRoom` has seen. */
  readonly #chunks: Uint8Array[][];
  #index = 0;
  #left = 0;

  /** @throws ProtocolError `ERR_WIRE_LIMIT` */
  constructor(heads: readonly AttachmentHead[]) {
    this.#heads = requireRoom(heads);
    this.#chunks = heads.map(() => []);
    this.#left = heads[0]?.size ?? 0;
    this.#passEmpty();
  }

  get isWhole(): boolean {
    return this.#index >= this.#heads.length;
  }

  get files(): readonly ServiceFile[] {
    return this.#heads.map(({ name }, index) => ({ name, bytes: concatBytes(...(this.#chunks[index] as Uint8Array[])) }));
  }

  /** 0xb3. @throws ProtocolError `ERR_WIRE_*`, `ERR_PEER_UNEXPECTED` for bytes out of their order, or more than were announced */
  take(frame: Frame): void {
    const { index, bytes } = serviceAttachment.decode(frame);
    // check: S order of attachments
    if (index !== this.#index) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'an attachment out of its order');
    // check: S size of an attachment
    if (bytes.length > this.#left) throw new ProtocolError('ERR_PEER_UNEXPECTED', 'an attachment is longer than it was announced');
    (this.#chunks[index] as Uint8Array[]).push(bytes.slice());
    this.#left -= bytes.length;
    this.#passEmpty();
  }

  #passEmpty(): void {
    while (this.#left === 0 && !this.isWhole) this.#left = this.#heads[++this.#index]?.size ?? 0;
  }
}

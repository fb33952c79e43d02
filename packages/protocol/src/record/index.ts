export type { Direction } from './cbc-layout.ts';
export { CBC_PLAINTEXT_BYTES, type CbcOpener, type CbcOptions, type CbcSealer, createCbcOpener, createCbcSealer } from './cbc-record.ts';
export { createGcmOpener, createGcmSealer, type GcmOpened, type GcmOpener, type GcmOptions, type GcmSealer } from './gcm-record.ts';
export { CBC_RECORD_LIMITS, GCM_RECORD_LIMITS, RECEIVE_GRACE_MS, type RecordLimits } from './record-limits.ts';
export { createRecordStream, type RecordStream } from './record-stream.ts';

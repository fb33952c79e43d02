import type { CborRecord } from '@uemkit/protocol/wire';

/** What a stored record may hold. Absent optional fields are left out. */
export type StoredRecord = CborRecord;

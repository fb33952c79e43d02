/** What a stored record may hold. Absent optional fields are left out. */
export type StoredValue = number | string | boolean | Uint8Array | readonly StoredValue[] | StoredRecord;

export interface StoredRecord {
  readonly [field: string]: StoredValue | undefined;
}

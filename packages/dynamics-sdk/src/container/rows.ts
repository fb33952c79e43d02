/** What a record is: a value of the app, a file of the app, or something of the container itself. The first character of its row. */
export type Space = 'v' | 'f' | 'i';
export const SPACES: readonly Space[] = ['v', 'f', 'i'];

/** Rows that are there once. */
export const HEADER_ROW = 'h';
export const PASSWORD_ROW = 'k/password';
export const UNLOCK_ROW = 'k/unlock';
export const GUARD_ROW = 'g';
export const LEDGER_ROW = 'l';

/** Begins the row of a file whose chunks are not, or no longer, part of the container. */
export const PENDING_PREFIX = 'p';
const CHUNK_PREFIX = 'c';

/** Buckets of the ledger. */
export const BUCKETS = 256;

/** Row of a chunk, in the order of the file. */
export function chunkRow(fileId: string, index: number): string {
  return `${chunksOf(fileId)}${index.toString(16).padStart(8, '0')}`;
}

/** Begins the rows of all chunks of a file. */
export function chunksOf(fileId: string): string {
  return `${CHUNK_PREFIX}${fileId}`;
}

/** Bucket of a record: the first byte of its hash. */
export function bucketOf(row: string): number {
  return (digit(row.charCodeAt(1)) << 4) | digit(row.charCodeAt(2));
}

/** Value of a lower-case hexadecimal digit. */
function digit(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/** Begins the rows of a bucket in a space. */
export function bucketPrefix(space: Space, bucket: number): string {
  return space + bucket.toString(16).padStart(2, '0');
}

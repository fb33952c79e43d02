/** Longest value of the key-value store. */
export const MAX_VALUE_BYTES = 262_144;
/** Longest name of a value or a file, in UTF-8. */
export const MAX_NAME_BYTES = 1_024;
/** Longest row that a storage is given: a value with its name and what protects them. */
export const MAX_ROW_BYTES = 263_216;
/** Plaintext of each chunk of a file but the last. */
export const CHUNK_BYTES = 65_536;
/** Chunks of one file; 64 GiB. */
export const MAX_FILE_CHUNKS = 1_048_576;
/** Chunks that a write keeps in memory before it commits them. */
export const WRITE_WINDOW_CHUNKS = 8;
/** Chunks that are deleted in the commit that replaces a file; of longer files they go afterwards, in parts. */
export const MAX_CHUNKS_DELETED_AT_ONCE = 16;
/** Commits that share one commit of the storage. */
export const MAX_GROUP_COMMITS = 256;
/** Commits that wait, sealed already or not; more are refused with `ERR_REJECTED_BUSY`. */
export const MAX_WAITING_COMMITS = 4_096;
/** Bytes of the commits that wait; more are refused with `ERR_REJECTED_BUSY`. */
export const MAX_WAITING_BYTES = 33_554_432;
/** Keys that are read at once when rows are listed. */
export const LIST_PAGE_KEYS = 256;
/** Names whose row and mark are remembered, so that they need not be computed or read again. */
export const MAX_REMEMBERED_NAMES = 16_384;
/** Contents of records that an open container keeps in memory. */
export const MAX_REMEMBERED_BYTES = 4_194_304;
/** Longest content of a record that is kept in memory. */
export const MAX_REMEMBERED_CONTENT_BYTES = 65_536;
/** Versions under one record key: then comes the next, long before random nonces could meet. */
export const VERSIONS_OF_A_KEY = 16_777_216;
/** Longest password, in UTF-8. */
export const MAX_PASSWORD_BYTES = 255;
/** Most wrong passwords that a policy can allow. */
export const MAX_PASSWORD_TRIES = 1_000;
/** Earlier passwords that are remembered. */
export const MAX_PASSWORD_HISTORY = 24;

/** Status line and headers of an answer, and the same for its trailers; as Node has it. */
export const MAX_HEAD_BYTES = 16_384;

/** Size line of a chunk with its extensions. */
export const MAX_CHUNK_LINE_BYTES = 1_024;

/** Answers of status 1xx before the answer itself. */
export const MAX_INTERIM_ANSWERS = 16;

/** Redirects that `fetch` follows; of the Fetch standard. */
export const MAX_REDIRECTS = 20;

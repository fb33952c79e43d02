const FORMATS: Readonly<Record<string, 'gzip' | 'deflate'>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate' };
/** Nobody encodes more often. */
const MAX_CODINGS = 4;

/** A body without its `content-encoding`, as far as every browser can; one that has others is left as it is, and its header says so. */
export function decoded(body: ReadableStream<Uint8Array>, contentEncoding: string | null): ReadableStream<Uint8Array> {
  const codings = (contentEncoding ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MAX_CODINGS || codings.some((coding) => FORMATS[coding] === undefined)) return body;
  return codings.reduceRight((encoded, coding) => encoded.pipeThrough(decoder(FORMATS[coding] as 'gzip')), body);
}

/** The types of the DOM and those of Node disagree on what is written to it. */
function decoder(format: 'gzip' | 'deflate'): { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> } {
  const { readable, writable } = new DecompressionStream(format);
  return { readable, writable: writable as WritableStream<unknown> };
}

/** What is sent of a body. */
export type RequestBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `lengthBytes` undefined: sent in chunks. */
  | { readonly kind: 'stream'; readonly stream: ReadableStream<Uint8Array>; readonly lengthBytes?: number | undefined };

/** One request for one server; a redirect is another one. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: RequestBody | undefined;
}

/** Headers that say how a message is framed or that the way owns: an app that could set them could put a second request into the first one. Browsers take none of them either. */
const NOT_OF_THE_APP: readonly string[] = [
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Request line and headers. @throws TypeError for what is no method or value */
export function requestHead({ url, method, headers, body }: HttpRequest, cookie: string): Uint8Array {
  const own = [...headers].filter(([name]) => !NOT_OF_THE_APP.includes(name) && !name.startsWith('proxy-'));
  const fields: [string, string][] = [
    ['host', url.host],
    ...(own.some(([name]) => name === 'accept') ? [] : [['accept', '*/*'] satisfies [string, string]]),
    ['accept-encoding', 'gzip, deflate'],
    ...own,
    ...(cookie === '' ? [] : [['cookie', cookie] satisfies [string, string]]),
    ...framing(method, body),
    // One connection carries one request: what a server sends behind its answer is never an answer to another request.
    ['connection', 'close'],
  ];
  // check: a line of the head stays one line
  if (!METHOD.test(method) || fields.some(([, value]) => !VALUE.test(value))) throw new TypeError('the request has a method or header that HTTP cannot carry');
  const text = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function framing(method: string, body: RequestBody | undefined): [string, string][] {
  if (body === undefined) return ['POST', 'PUT', 'PATCH'].includes(method) ? [['content-length', '0']] : [];
  const lengthBytes = body.kind === 'bytes' ? body.bytes.length : body.lengthBytes;
  return lengthBytes === undefined ? [['transfer-encoding', 'chunked']] : [['content-length', String(lengthBytes)]];
}

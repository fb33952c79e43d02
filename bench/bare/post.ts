import type { Dispatcher } from 'undici';

/** POST of `body` over an undici dispatcher; resolves with the length of the answer. */
export async function post(dispatcher: Dispatcher, path: string, body: Uint8Array, answerBytes = 0, answerMs = 0): Promise<number> {
  const response = await dispatcher.request({
    method: 'POST',
    path,
    body,
    headers: { 'content-type': 'application/vnd.uemkit.frame', 'x-answer-bytes': String(answerBytes), 'x-answer-ms': answerMs.toFixed(2) },
  } as Dispatcher.RequestOptions & { readonly path: string });
  return (await response.body.arrayBuffer()).byteLength;
}

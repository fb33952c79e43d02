import { isProtocolError } from '@uemkit/protocol';
import { openDynamicsRuntime, type PageDynamicsRuntime } from '../../src/browser/index.ts';
import { pushChannels } from '../../src/index.ts';
import { appOfPage, type Page } from './quickstart.ts';

/** An app in a page: bundled, loaded by Chromium, and driven from the test through `globalThis.app`. What it gives back is plain. */

const browser = globalThis as unknown as Page & {
  readonly indexedDB: { databases(): Promise<{ name: string }[]> };
  app: unknown;
};

let runtime: PageDynamicsRuntime | undefined;
let reading: ReadableStreamDefaultReader<Uint8Array> | undefined;
let stop = new AbortController();
const events: string[] = [];
/** What push channels have said. */
const heard: string[] = [];
let token = '';

function current(): PageDynamicsRuntime {
  if (runtime === undefined) throw new Error('not open');
  return runtime;
}

async function refused(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return isProtocolError(error) ? { code: error.code } : String(error);
  }
}

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const sha256 = async (bytes: Uint8Array): Promise<string> => hex(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

/** A body that is a stream: so many pieces of 64 KiB, each filled with its number. */
function pieces(count: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === count) return controller.close();
      controller.enqueue(new Uint8Array(65_536).fill(at));
      at += 1;
    },
  });
}

browser.app = {
  open: (noc: string) =>
    refused(async () => {
      runtime = await appOfPage(browser, noc, (options) => openDynamicsRuntime({ ...options, pushChannels: pushChannels() }));
      runtime.addEventListener('stage', ({ detail }) => void events.push(detail.stage));
      runtime.addEventListener('link', ({ detail }) => void events.push(`link ${detail.binding}`));
    }),
  authorize: (password: string, userId?: string, accessKey?: string) =>
    refused(async () => {
      const credentials = userId === undefined || accessKey === undefined ? {} : { credentials: { userId, accessKey } };
      const { state, code, error } = await current().authorize({ password, ...credentials });
      return { state, code, error: error?.code };
    }),
  state: () => ({ state: current().state, isActivated: current().isActivated, events: [...events] }),
  get: (url: string) =>
    refused(async () => {
      const response = await current().fetch(url);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { status: response.status, url: response.url, redirected: response.redirected, bytes: bytes.length, sha256: await sha256(bytes) };
    }),
  text: (url: string) => refused(async () => (await current().fetch(url)).text()),
  post: (url: string, count: number) => refused(async () => (await current().fetch(url, { method: 'POST', body: pieces(count) })).text()),
  /** Takes the first part of an answer, and no other one. */
  pause: (url: string) =>
    refused(async () => {
      stop = new AbortController();
      const { body } = await current().fetch(url, { signal: stop.signal });
      reading = body?.getReader();
      return (await reading?.read())?.done;
    }),
  /** Reads on to the end. */
  resume: () =>
    refused(async () => {
      for (let bytes = 0; ; ) {
        const part = await reading?.read();
        if (part === undefined || part.done) return bytes;
        bytes += part.value.length;
      }
    }),
  abort: () => stop.abort(new Error('the user has left')),
  put: (name: string, text: string) => refused(() => current().container?.values.put(name, new TextEncoder().encode(text)) ?? Promise.resolve('closed')),
  value: (name: string) => refused(async () => new TextDecoder().decode(await current().container?.values.get(name))),
  /** Opens a push channel. */
  channel: (name: string) =>
    refused(async () => {
      const channel = current().pushChannel(name);
      channel.addEventListener('open', ({ detail }) => {
        token = detail.token;
        heard.push(`open ${detail.pushChannelHost}`);
      });
      channel.addEventListener('message', ({ detail }) => void heard.push(detail.data));
      channel.addEventListener('close', ({ detail }) => void heard.push(`close ${detail.reason?.code}`));
      channel.addEventListener('error', ({ detail }) => void heard.push(`error ${detail.error.code}`));
      channel.connect();
    }),
  heard: () => [...heard],
  token: () => token,
  wipe: () => refused(() => current().wipe()),
  close: () => refused(() => current().close()),
  databases: async () => (await browser.indexedDB.databases()).map(({ name }) => name).sort(),
  /** Every key and value of every database of this origin, as one text. */
  scan: async (): Promise<string> => {
    const all: string[] = [];
    for (const { name } of await browser.indexedDB.databases()) {
      const rows = await new Promise<unknown[]>((resolve, reject) => {
        const opening = (browser.indexedDB as unknown as { open(name: string): IdbRequest }).open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const store = opening.result.transaction('rows', 'readonly').objectStore('rows');
          const [keys, values] = [store.getAllKeys(), store.getAll()];
          values.onsuccess = () => {
            opening.result.close();
            resolve([...keys.result, ...values.result]);
          };
        };
      });
      for (const row of rows) all.push(row instanceof Uint8Array ? new TextDecoder('latin1').decode(row) : String(row));
    }
    return all.join('\n');
  },
};

/** As much of IndexedDB as the scan needs. */
interface IdbRequest {
  onsuccess: () => void;
  onerror: () => void;
  readonly error: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the types of the DOM are not here
  readonly result: any;
}

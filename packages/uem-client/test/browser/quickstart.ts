import { nobleCrypto, systemClock, webEntropy } from '@uemkit/protocol/noble';
import { type BrowserStateOptions, openBrowserState } from '../../src/browser/index.ts';
import { createUemClient, fetchTransport, type OperatingSystem, type UemClient, type WebSocketConstructor } from '../../src/index.ts';

/** What a page has, and the operating system of its device, which keeps its state in the client's store. */
export interface Page {
  readonly indexedDB: BrowserStateOptions['indexedDB'];
  readonly navigator: { readonly locks: BrowserStateOptions['locks'] };
  readonly crypto: { readonly subtle: BrowserStateOptions['subtle'] };
  readonly WebSocket: WebSocketConstructor;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  operatingSystem(store: Store): OperatingSystem;
}

type Store = Awaited<ReturnType<typeof openBrowserState>>['store'];

/** The device of a page. Its middle stands in the README of the package; `page.ts` runs it in Chromium. */
export async function deviceOfPage({ indexedDB, navigator, crypto, WebSocket, fetch, operatingSystem }: Page): Promise<{ client: UemClient; store: Store }> {
  const { store, keyStore } = await openBrowserState({ indexedDB, locks: navigator.locks, subtle: crypto.subtle });
  const ports = { crypto: nobleCrypto(), clock: systemClock(), entropy: webEntropy() };
  const transport = fetchTransport({ fetch: (url, init) => fetch(url, init), webSocket: WebSocket, security: { kind: 'signed', ...ports, keyStore } });
  const client = createUemClient({ ...ports, store, keyStore, transport, operatingSystem: operatingSystem(store) });
  return { client, store };
}

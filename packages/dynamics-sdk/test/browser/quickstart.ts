import { nobleCrypto, systemClock, webEntropy } from '@uemkit/protocol/noble';
import { CookieJar } from 'tough-cookie';
import {
  type BrowserContainerOptions,
  type HmacSubtle,
  openContainerStorage,
  openDynamicsRuntime as openOfPage,
  type PageDynamicsRuntime,
  type WebSocketConstructor,
  webCryptoDeviceKey,
  webSocketNocTransport,
} from '../../src/browser/index.ts';

/** What a page has. */
export interface Page {
  readonly indexedDB: BrowserContainerOptions['indexedDB'];
  readonly IDBKeyRange: BrowserContainerOptions['keyRange'];
  readonly navigator: { readonly locks: BrowserContainerOptions['locks'] };
  readonly crypto: { readonly subtle: HmacSubtle };
  readonly WebSocket: WebSocketConstructor;
}

/** The app of a page. Its middle stands in the README of the package; `page.ts` runs it in Chromium, and gives it options more. */
export async function appOfPage(
  { indexedDB, IDBKeyRange, navigator, crypto, WebSocket }: Page,
  noc: string,
  openDynamicsRuntime: typeof openOfPage = openOfPage,
): Promise<PageDynamicsRuntime> {
  const ports = { crypto: nobleCrypto(), clock: systemClock(), entropy: webEntropy() };
  const database = { indexedDB, keyRange: IDBKeyRange, locks: navigator.locks };
  const runtime = await openDynamicsRuntime({
    ...ports,
    app: { appId: 'com.example.mail', version: '1.0.0.0', platform: 'web' },
    noc: { address: noc, trust: { roots: 'platform', spkiPins: [] } },
    transport: webSocketNocTransport({ webSocket: WebSocket, clock: ports.clock }),
    allowUnboundLink: true,
    store: await openContainerStorage({ ...database, name: 'state' }),
    openStorage: () => openContainerStorage(database),
    deviceKey: webCryptoDeviceKey({ indexedDB, subtle: crypto.subtle }),
    cookieJar: CookieJar,
  });
  return runtime;
}

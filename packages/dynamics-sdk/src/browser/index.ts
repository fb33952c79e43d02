export type { CookieJarLike, CookieJarMaker, SavedCookie } from '../http/cookie-jar.ts';
export type { PageFetch } from '../http/page-fetch.ts';
export type { WebSocketConstructor, WebSocketLike } from '../noc/web-socket.ts';
export { type WebSocketNocOptions, webSocketNocTransport } from '../noc/web-socket-noc.ts';
export { type BrowserContainerOptions, openContainerStorage } from './indexed-db-storage.ts';
export { openDynamicsRuntime, type PageDynamicsRuntime, type PageRuntimeOptions } from './page-runtime.ts';
export type { HmacSubtle, IndexedDatabases, KeyRanges, WebLocks } from './platform.ts';
export { webCryptoDeviceKey } from './web-crypto-device-key.ts';

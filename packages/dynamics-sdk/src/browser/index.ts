export { type WebSocketConstructor, type WebSocketLike, webSocketNocTransport } from '../noc/web-socket-noc.ts';
export { type BrowserContainerOptions, openContainerStorage } from './indexed-db-storage.ts';
export type { HmacSubtle, IndexedDatabases, KeyRanges, WebLocks } from './platform.ts';
export { webCryptoDeviceKey } from './web-crypto-device-key.ts';

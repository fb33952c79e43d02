export { fileDeviceKey } from './file-device-key.ts';
export { openContainerStorage } from './lmdb-storage.ts';
export { type NodeDynamicsRuntime, type NodeRuntimeOptions, openDynamicsRuntime } from './node-runtime.ts';
export type { RuntimeFetch } from './runtime-fetch.ts';
export type { AppTls } from './secured.ts';
export { listenForSiblings, type SiblingListener, type SiblingListenerOptions } from './sibling-listener.ts';
export { siblingSocket } from './sibling-socket.ts';
export { tlsNocTransport } from './tls-noc.ts';
export { uemClientSocket } from './uem-client-socket.ts';

export { fileDeviceKey } from './file-device-key.ts';
export { openContainerStorage } from './lmdb-storage.ts';
export { type NodeDynamicsRuntime, type NodeRuntimeOptions, openDynamicsRuntime } from './node-runtime.ts';
export type { RuntimeFetch } from './runtime-fetch.ts';
export type { AppTls } from './secured.ts';
export { tlsNocTransport } from './tls-noc.ts';
export { uemClientSocket } from './uem-client-socket.ts';

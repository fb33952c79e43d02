export { fileDeviceKey } from './file-device-key.ts';
export { openContainerStorage } from './lmdb-storage.ts';
export { tlsNocTransport } from './tls-noc.ts';
export { uemClientSocket } from './uem-client-socket.ts';

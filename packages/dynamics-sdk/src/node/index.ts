export { fileDeviceKey } from './file-device-key.ts';
export { openContainerStorage } from './lmdb-storage.ts';

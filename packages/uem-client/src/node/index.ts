export { fileStore } from './file-store.ts';
export { type NodeTransportOptions, nodeTransport } from './node-transport.ts';
export { TlsContexts } from './tls-contexts.ts';

export { fileStore } from './file-store.ts';
export { nodeTransport, type NodeTransportOptions } from './node-transport.ts';
export { TlsContexts } from './tls-contexts.ts';

export { type AppListener, type AppListenerOptions, listenForApps, type PlatformIdentity } from './app-listener.ts';
export { fileStore } from './file-store.ts';
export { type NodeTransportOptions, nodeTransport } from './node-transport.ts';
export { TlsContexts } from './tls-contexts.ts';

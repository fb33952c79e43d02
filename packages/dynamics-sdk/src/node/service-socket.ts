import type { AppLink } from '../activation/uem-client-link.ts';
import type { InterAppServices } from '../services/inter-app-services.ts';
import type { ServiceProvider } from '../services/service-apps.ts';
import { type AppListener, type AppListenerOptions, listenForLocalApps } from './app-listener.ts';
import { appSocketLink, connectApp } from './app-socket.ts';

export interface ServiceListenerOptions extends AppListenerOptions {
  readonly services: Pick<InterAppServices, 'accept'>;
}

/**
 * Listens for other apps of this device that want a service of this one (docs/protocol/14-inter-app-services.md).
 * @throws ProtocolError as `listenForSiblings`
 */
export function listenForServices({ services, ...options }: ServiceListenerOptions): Promise<AppListener> {
  return listenForLocalApps(options, (socket, platformId) =>
    services.accept(appSocketLink(socket, { channel: 'svc', sender: 'initiator', who: 'the app' }), platformId),
  );
}

/** `connect` of `interAppServices`: the path of the Unix socket, or named pipe of Windows, at which a provider listens. */
export function serviceSockets(pathOf: (provider: ServiceProvider) => string): (provider: ServiceProvider, signal: AbortSignal) => Promise<AppLink> {
  return (provider, signal) => connectApp(pathOf(provider), { channel: 'svc', sender: 'responder', who: 'app that offers the service' }, signal);
}

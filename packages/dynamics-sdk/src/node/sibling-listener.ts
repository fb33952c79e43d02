import type { DynamicsRuntime } from '../runtime/dynamics-runtime.ts';
import { type AppListener, type AppListenerOptions, listenForLocalApps } from './app-listener.ts';
import { appSocketLink } from './app-socket.ts';

export interface SiblingListenerOptions extends AppListenerOptions {
  /** With the option `delegate`. */
  readonly runtime: Pick<DynamicsRuntime, 'acceptApp'>;
}

/** Takes apps until it is closed. */
export type SiblingListener = AppListener;

/**
 * Listens for other apps of this device that want access keys, and has the runtime serve each (F3.4). What becomes of them is told by the events of the runtime.
 * @throws ProtocolError `ERR_USAGE_STATE` when a living process listens at `path`; `ERR_USAGE_ARGUMENT` when the folder is open to others, the path is taken by a
 * file or longer than 103 bytes; `ERR_TRANSPORT_CONNECT` when the system does not let it listen
 */
export function listenForSiblings({ runtime, ...options }: SiblingListenerOptions): Promise<SiblingListener> {
  return listenForLocalApps(options, (socket, platformId) =>
    runtime.acceptApp(appSocketLink(socket, { channel: 'ipcd', sender: 'initiator', who: 'the app' }), platformId),
  );
}

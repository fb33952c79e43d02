import type { UemClientLink } from '../activation/uem-client-link.ts';
import { connectApp } from './app-socket.ts';

/**
 * The UEM Client behind a Unix socket, or a named pipe of Windows (docs/protocol/03-handshake.md, 3.10). The platform ids are of the operating system; on a system that knows
 * none they are what both ends agreed on.
 */
export function uemClientSocket({ path, platformIds }: { readonly path: string; readonly platformIds: UemClientLink['platformIds'] }): UemClientLink {
  return { platformIds, connect: (signal) => connectApp(path, { channel: 'ipc', sender: 'responder', who: 'UEM Client' }, signal) };
}

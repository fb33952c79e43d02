import type { SiblingLink } from '../activation/sibling-link.ts';
import { connectApp } from './app-socket.ts';

/**
 * An activated app behind a Unix socket, or a named pipe of Windows, as `listenForSiblings` opens it. `platformId` is of the operating system; on a system that knows none it is
 * what both ends agreed on.
 */
export function siblingSocket({ path, platformId }: { readonly path: string; readonly platformId: string }): SiblingLink {
  return { platformId, connect: (signal) => connectApp(path, { channel: 'ipcd', sender: 'responder', who: 'sibling app' }, signal) };
}

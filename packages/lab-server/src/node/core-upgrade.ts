import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import type { PeerIdentity } from '@uemkit/protocol';
import type { LinkGuard } from '../roles/link-guard.ts';
import type { CoreSessions } from '../roles/uem/core-sessions.ts';
import { serveCoreStream } from './core-stream.ts';
import { SERVICE_PATH } from './frame-binding.ts';
import { endWith } from './http-server.ts';
import { type RoleLinkOptions, roleError } from './role-link.ts';

/** Path at UEM's listener for other roles, and the protocol that is asked for there: the bytes of `px` (docs/protocol/12, 12.8). */
export const CORE_PATH: string = `${SERVICE_PATH}px`;
/** See `CORE_PATH`. */
export const CORE_PROTOCOL = 'uemkit-px/1';
/** Until UEM has answered. */
const OPEN_MS = 10_000;

/** The NOC connects an app to UEM over mutual TLS (F3.4). @returns undefined when UEM is not there, or does not want to */
export function openCoreStream({ address, role, key, certificate, root }: RoleLinkOptions): Promise<Duplex | undefined> {
  return new Promise((resolve) => {
    const asked = request(`https://${address}${CORE_PATH}`, {
      ...{ agent: false, key, cert: certificate, ca: root, minVersion: 'TLSv1.3', timeout: OPEN_MS },
      headers: { connection: 'upgrade', upgrade: CORE_PROTOCOL },
      checkServerIdentity: (host, shown) => checkServerIdentity(host, shown) ?? roleError(shown, role),
    });
    const none = (): void => {
      asked.destroy();
      resolve(undefined);
    };
    asked.once('upgrade', (_response, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('response', none);
    asked.once('timeout', none);
    asked.on('error', none);
    asked.end();
  });
}

export interface CoreUpgradeOptions {
  readonly guard: LinkGuard;
  readonly connect: CoreSessions['connect'];
  refused(reason: string, source: string): void;
}

/** UEM's side of it: only the NOC may ask. */
export function coreUpgrade(options: CoreUpgradeOptions): (request: IncomingMessage, socket: Duplex, head: Buffer, peer: PeerIdentity) => void {
  const { guard, connect, refused } = options;
  return ({ url, headers }, socket, head, peer) => {
    const refuse = (status: string, reason: string): void => {
      refused(reason, peer.source);
      endWith(socket, status);
    };
    if (url !== CORE_PATH || headers.upgrade !== CORE_PROTOCOL) return refuse('404 Not Found', 'no such path at this listener');
    const caller = guard.roleOf(peer);
    // check: F3.4 only the NOC connects apps
    if (caller !== 'noc') return refuse('403 Forbidden', typeof caller === 'object' ? caller.refused : `role ${caller} may not do this`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${CORE_PROTOCOL}\r\n\r\n`);
    if (head.length > 0) socket.unshift(head);
    serveCoreStream(socket, connect, peer.source);
  };
}

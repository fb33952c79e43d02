import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** The chat of the company, in its own network: whatever one says, all hear. */
export async function startChat(tls: { readonly key: string; readonly cert: string }): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(tls);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const name = new URL(request.url ?? '/', 'wss://chat').searchParams.get('name') ?? 'somebody';
    const tell = (text: string): void => {
      for (const each of sockets.clients) if (each.readyState === WebSocket.OPEN) each.send(text);
    };
    tell(`${name} is here`);
    socket.on('message', (data) => tell(`${name}: ${data}`));
    socket.on('close', () => tell(`${name} has left`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const each of sockets.clients) each.terminate();
      server.close();
    },
  };
}

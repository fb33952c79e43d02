import { type AddressInfo, createServer, type Server } from 'node:net';
import { ProtocolError } from '@uemkit/protocol';
import { type LabPlace, LISTENERS } from './lab-addresses.ts';

/**
 * Free ports for all listeners of a new lab, so that roles that start alone know each other's addresses.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the host cannot be bound
 */
export async function pickPorts(host: string): Promise<LabPlace['ports']> {
  // All at once, so that none is given out twice.
  const servers = await Promise.all(LISTENERS.map(() => listen(host)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(LISTENERS.map((name, index) => [name, ports[index]])) as LabPlace['ports'];
}

function listen(host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new ProtocolError('ERR_TRANSPORT_CONNECT', `cannot listen on ${host}: ${cause.code}`, { cause })),
    );
    server.listen(0, host, () => resolve(server));
  });
}

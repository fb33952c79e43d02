import { createServer, type Server } from 'node:net';
import { type Entropy, ProtocolError } from '@uemkit/protocol';
import { type LabPlace, LISTENERS } from './lab-addresses.ts';

/**
 * Where ports are looked for, end excluded: above the well-known ones, below those that Linux (32,768 on), macOS and Windows (49,152 on) give to outgoing connections and to port 0.
 * A lab that is down for a moment finds its ports again, however busy the machine is.
 */
const FROM = 20_000;
const TO = 32_768;

/**
 * Free ports for all listeners of a new lab, so that roles that start alone know each other's addresses.
 * @throws ProtocolError `ERR_TRANSPORT_CONNECT` when the host cannot be bound, or has no free port there
 */
export async function pickPorts(host: string, entropy: Entropy): Promise<LabPlace['ports']> {
  // All stay bound until the last one is found, so that none is given out twice.
  const servers: Server[] = [];
  try {
    const ports: [string, number][] = [];
    const [high = 0, low = 0] = entropy.randomBytes(2);
    let offset = (high * 256 + low) % (TO - FROM);
    let looked = 0;
    for (const name of LISTENERS) {
      for (let server: Server | undefined; server === undefined; looked++) {
        if (looked === TO - FROM) throw new ProtocolError('ERR_TRANSPORT_CONNECT', `no port from ${FROM} to ${TO - 1} is free on ${host}`);
        offset = (offset + 1) % (TO - FROM);
        server = await listen(host, FROM + offset);
        if (server !== undefined) servers.push(server);
      }
      ports.push([name, FROM + offset]);
    }
    return Object.fromEntries(ports) as LabPlace['ports'];
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Undefined: the port is taken. */
function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => {
      // Some ports may be reserved for others (Windows), which is as good as taken.
      if (cause.code === 'EADDRINUSE' || cause.code === 'EACCES') resolve(undefined);
      else reject(new ProtocolError('ERR_TRANSPORT_CONNECT', `cannot listen on ${host}: ${cause.code}`, { cause }));
    });
    server.listen(port, host, () => resolve(server));
  });
}

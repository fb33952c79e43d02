import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { HostAnswer, LabServer, RoleName, RoleRequest } from '@uemkit/lab-server';
import { FRAME_MEDIA_TYPE } from '../../src/conformance/frames.ts';

/** Listeners that devices reach. */
type DeviceListener = 'infrastructure' | 'activation' | 'devices' | 'notification';
const ROLES: Readonly<Record<DeviceListener, RoleName>> = { infrastructure: 'infrastructure', activation: 'uem', devices: 'uem', notification: 'notification' };

/** A relay before a listener, with the same certificate: it changes bytes of HTTP and WebSocket that no role ever sees. */
export interface ByteFront {
  readonly listener: 'infrastructure' | 'notification';
  /** Oldest version of TLS that it takes; 1.3 unless set. */
  readonly minVersion?: 'TLSv1.2';
  /** Bytes of the device, of the server; as they are unless set. */
  up?(bytes: Buffer): Buffer;
  down?(bytes: Buffer): Buffer;
}

/** A device listener that takes certificates as it likes, before the role. */
export interface DeviceFront {
  readonly listener: 'devices';
  /** Who a peer with this certificate is; a status: it gets an answer of HTTP. */
  identify(certificate: Uint8Array | undefined): RoleRequest['peer'] | number;
}

export type Front = ByteFront | DeviceFront;

/** The lab behind a front. */
interface LabBehind {
  readonly folder: string;
  readonly server: LabServer;
  /** Hands a frame to UEM past its listeners. */
  askUem(request: RoleRequest): Promise<HostAnswer>;
}

/** A front that is open: the address that devices dial, and its end. */
export interface OpenFront {
  readonly connection: LabServer['connection'];
  close(): Promise<void>;
}

export async function openFront(lab: LabBehind, front: Front): Promise<OpenFront> {
  const {
    key,
    certificate: cert,
    root,
  } = JSON.parse(readFileSync(join(lab.folder, 'roles', `${ROLES[front.listener]}.json`), 'utf8')) as {
    readonly key: string;
    readonly certificate: string;
    readonly root: string;
  };
  const identity = { key, cert, ca: root };
  const server = 'identify' in front ? deviceServer(lab, front, identity) : relay(lab.server.connection[front.listener], front, identity);
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    connection: { ...lab.server.connection, [front.listener]: `127.0.0.1:${(server.address() as AddressInfo).port}` },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

type Identity = Readonly<Record<'key' | 'cert' | 'ca', string>>;

function relay(address: string, { minVersion, up, down }: ByteFront, { key, cert, ca }: Identity): TlsServer {
  const [host, port] = address.split(':') as [string, string];
  return createTlsServer({ key, cert, minVersion: minVersion ?? 'TLSv1.3' }, (device) => {
    const server = connect({ host, port: Number(port), ca, minVersion: 'TLSv1.3' });
    device.on('data', (bytes: Buffer) => void server.write(up?.(bytes) ?? bytes));
    server.on('data', (bytes: Buffer) => void device.write(down?.(bytes) ?? bytes));
    device.once('close', () => server.destroy());
    server.once('close', () => device.destroy()).on('error', () => device.destroy());
  });
}

function deviceServer(lab: LabBehind, front: DeviceFront, identity: Identity): Server {
  return createServer({ ...identity, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = (request.socket as TLSSocket).getPeerX509Certificate()?.raw;
    const peer = front.identify(raw === undefined ? undefined : new Uint8Array(raw));
    if (typeof peer === 'number') return void response.writeHead(peer).end();
    const answer = await lab.askUem({ service: 'device', frame: new Uint8Array(Buffer.concat(chunks)), peer });
    if (answer.status !== 'answered') return void response.writeHead(500).end();
    response.writeHead(200, { 'content-type': FRAME_MEDIA_TYPE }).end(answer.frame);
  });
}

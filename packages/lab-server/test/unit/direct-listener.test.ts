import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { nodeCrypto } from '@uemkit/protocol/node';
import { fakeClock, seededEntropy } from '@uemkit/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANY_PORTS } from '../../src/data/lab-addresses.ts';
import { makeRoleFiles } from '../../src/data/role-file.ts';
import { listenDirect } from '../../src/node/direct-listener.ts';
import type { HttpServer } from '../../src/node/listening.ts';

const clock = fakeClock(Date.now());
const refused: string[] = [];
const accepted: { readonly socket: TLSSocket; readonly binding: Uint8Array; readonly proved: () => void }[] = [];
let listener: HttpServer;
let ca: string;

beforeAll(async () => {
  const place = { host: '127.0.0.1', advertise: '127.0.0.1', ports: ANY_PORTS };
  const files = makeRoleFiles({ crypto: nodeCrypto(), entropy: seededEntropy('direct'), nowMs: clock.nowMs(), place });
  const { key, certificate, root } = files['connectivity-node'];
  ca = root;
  listener = await listenDirect({
    clock,
    host: '127.0.0.1',
    port: 0,
    key,
    certificate,
    accept: (socket, binding, proved) => void accepted.push({ socket, binding, proved }),
    refused: (_source, reason) => void refused.push(reason),
  });
});

afterAll(() => listener?.close());

function dial(alpn: string | undefined): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port: listener.port, ca, ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }) });
  socket.on('error', () => socket.destroy());
  return socket;
}

describe('the listener of Direct Connect (F11)', () => {
  it('refuses another protocol', async () => {
    for (const alpn of ['http/1.1', undefined]) {
      const socket = dial(alpn);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await expect.poll(() => refused.length).toBe(2);
    expect(accepted).toHaveLength(0);
  });

  it('speaks TLS 1.3 and nothing older', async () => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, ca, ALPNProtocols: ['uemkit-dc/1'], maxVersion: 'TLSv1.2' });
    const spoken = await once(socket, 'secureConnect').then(
      () => socket.getProtocol(),
      ({ code }) => code,
    );
    socket.destroy();
    expect(spoken).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('gives both ends the same binding, and ends who does not prove itself in time', async () => {
    const [first, second] = [dial('uemkit-dc/1'), dial('uemkit-dc/1')];
    await Promise.all([first, second].map((socket) => once(socket, 'secureConnect')));
    await expect.poll(() => accepted.length).toBe(2);
    const seen = (socket: TLSSocket): string => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)).toString('hex');
    expect(accepted.map(({ binding }) => Buffer.from(binding).toString('hex')).sort()).toEqual([seen(first), seen(second)].sort());
    accepted[0]?.proved();
    const silent = accepted[1]?.socket as TLSSocket;
    const closed = once(silent, 'close');
    await clock.advance(30_001);
    await closed;
    expect(accepted[0]?.socket.destroyed).toBe(false);
    first.destroy();
    second.destroy();
  });
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { startLab } from '@uemkit/lab-server';
import { fromHex, type ProtocolError, toHex } from '@uemkit/protocol';
import { nodeCrypto } from '@uemkit/protocol/node';
import * as wire from '@uemkit/protocol/wire';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NocConnection, NocRequest, NocTrust } from '../../src/index.ts';
import { tlsNocTransport } from '../../src/node/index.ts';

type Role = 'noc' | 'uem';
let identities: Readonly<Record<Role, { readonly key: string; readonly certificate: string }>>;
let root: Uint8Array;
let server: Server | undefined;
const der = (pem: string): Uint8Array => new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));

beforeAll(async () => {
  const lab = await startLab();
  const { noc, uem } = lab.files;
  identities = { noc, uem };
  root = der(noc.root);
  await lab.close();
});
afterEach(() => {
  server?.close();
});

/** A server that takes one connection; the address where it listens. */
async function listen(role: Role, more: TlsOptions, taken: (socket: TLSSocket) => void = () => {}): Promise<string> {
  const { key, certificate: cert } = identities[role];
  const listening = createServer({ key, cert, minVersion: 'TLSv1.3', ALPNProtocols: ['uemkit-noc/1'], ...more }, taken);
  server = listening;
  listening.on('tlsClientError', () => {});
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return `127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

interface Opened extends Partial<NocConnection> {
  readonly frames: string[];
  readonly closed: Promise<ProtocolError | undefined>;
}

async function open(address: string, trust: NocTrust = { roots: [root], spkiPins: [] }, signal = new AbortController().signal): Promise<Opened> {
  const frames: string[] = [];
  let tell: NocRequest['onClose'] = () => {};
  const closed = new Promise<ProtocolError | undefined>((resolve) => {
    tell = resolve;
  });
  const connection = await tlsNocTransport({ connectMs: 5_000 }).openNoc({
    address,
    trust,
    signal,
    onFrame: (frame) => void frames.push(toHex(frame)),
    onClose: (e) => tell(e),
  });
  return { ...connection, frames, closed };
}

const alert = wire.alert.encode({ code: 'busy' });

describe('the NOC over TLS', () => {
  it('is known by its root and role, or by its key alone', async () => {
    const address = await listen('noc', {}, (socket) => socket.resume());
    await (await open(address)).close?.();
    const pin = nodeCrypto().sha256(
      new Uint8Array((await import('node:crypto')).createPublicKey(identities.noc.certificate).export({ type: 'spki', format: 'der' })),
    );
    await (await open(address, { roots: [], spkiPins: [pin] })).close?.();
    await (await open(address, { roots: [root], spkiPins: [fromHex('00'.repeat(32)), pin] })).close?.();
    await expect(open(address, { roots: [], spkiPins: [pin.with(0, (pin[0] as number) ^ 1)] })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      message: expect.stringContaining('pinned') as string,
    });
  });

  it.each<[string, Role, TlsOptions, string]>([
    ['another role of the same root', 'uem', {}, 'role noc'],
    ['a server without the ALPN of the NOC', 'noc', { ALPNProtocols: undefined as never }, 'is no NOC'],
    ['TLS 1.2', 'noc', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, 'TLS failed'],
  ])('is not %s', async (_what, role, more, message) => {
    const address = await listen(role, more, (socket) => socket.resume());
    await expect(open(address)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS', message: expect.stringContaining(message) });
  });

  it('reads the roots of a trust once, and believes nobody by the roots of another trust', async () => {
    const address = await listen('noc', {}, (socket) => socket.resume());
    const transport = tlsNocTransport({ connectMs: 5_000 });
    const dial = async (roots: readonly Uint8Array[]): Promise<void> => {
      const request = { address, trust: { roots, spkiPins: [] }, signal: new AbortController().signal, onFrame() {}, onClose() {} };
      (await transport.openNoc(request)).close();
    };
    let read = 0;
    const counted = new Proxy([root], {
      get(roots, name) {
        if (name === '0') read += 1;
        return Reflect.get(roots, name);
      },
    });
    await dial(counted);
    const once = read;
    await dial(counted);
    expect([once > 0, read]).toEqual([true, once]);
    const stranger = der((await startLab().then(async (lab) => [lab.files.noc.root, await lab.close()] as const))[0]);
    await expect(dial([stranger])).rejects.toMatchObject({ code: 'ERR_TRANSPORT_TLS' });
    await dial([root]);
  });

  it('sends frames in pieces of any size, and ends cleanly or within a frame', async () => {
    const address = await listen('noc', {}, (socket) => {
      socket.write(alert.subarray(0, 3));
      setImmediate(() => socket.end(Buffer.concat([alert.subarray(3), alert])));
    });
    const whole = await open(address);
    expect(await whole.closed).toBeUndefined();
    expect(whole.frames).toEqual([toHex(alert), toHex(alert)]);
    server?.close();
    const cut = await open(await listen('noc', {}, (socket) => socket.end(alert.subarray(0, alert.length - 1))));
    expect((await cut.closed)?.code).toBe('ERR_TRANSPORT_CLOSED');
  });

  it.each<[string, () => Uint8Array, string]>([
    ['what is no frame', () => new Uint8Array(64).fill(0xff), 'ERR_WIRE_'],
    [
      'a frame that the NOC does not send',
      () => wire.nocVerify.encode({ userId: 'a@example.com', accessKeyHash: new Uint8Array(32), appId: 'a', instanceId: new Uint8Array(16) }),
      'ERR_WIRE_TYPE',
    ],
  ])('is let go after %s', async (_what, bytes, code) => {
    const opened = await open(await listen('noc', {}, (socket) => socket.on('error', () => {}).write(bytes())));
    expect((await opened.closed)?.code).toContain(code);
    expect(opened.frames).toEqual([]);
    opened.send?.(alert);
  });

  it('gets what was sent on a link right before it was closed', async () => {
    const got = new Promise<string>((resolve) => {
      void listen('noc', { ALPNProtocols: ['uemkit-link/1'] }, (socket) => {
        let text = '';
        socket.on('error', () => {});
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        socket.once('close', () => resolve(text));
      }).then(async (address) => {
        const request = { address, trust: { roots: [root], spkiPins: [] }, signal: new AbortController().signal };
        const channel = await tlsNocTransport({ connectMs: 5_000 }).openLink?.({ ...request, onBytes() {}, onRoom() {}, onEnd() {}, onClose() {} });
        channel?.send(Buffer.from('first, '));
        channel?.send(Buffer.from('last'));
        channel?.close();
      });
    });
    expect(await got).toBe('first, last');
  });

  it('is not waited for after an abort, and an address that is none is refused', async () => {
    const stop = new AbortController();
    const address = await listen('noc', {});
    const opening = open(address, undefined, stop.signal);
    stop.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    await expect(open(address, undefined, stop.signal)).rejects.toThrow('enough');
    for (const wrong of ['noc', 'noc:0', 'noc:65536', 'a b:1']) await expect(open(wrong)).rejects.toMatchObject({ code: 'ERR_USAGE_ARGUMENT' });
  });
});

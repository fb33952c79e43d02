import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { isProtocolError, ProtocolError } from '@uemkit/protocol';
import { frameParser } from '@uemkit/protocol/wire';
import type { LinkChannel, LinkChannelRequest } from '../noc/link-channel.ts';
import type { NocConnection, NocRequest, NocTransport, NocTrust } from '../noc/noc-transport.ts';
import { DIRECT_ALPN, LINK_ALPN, NOC_ALPN, NOC_BODY_BYTES, nocTrailerBytes } from '../noc/noc-wire.ts';
import { tlsError } from './tls-error.ts';

/** Longest time without a byte while a connection is made, milliseconds. */
const CONNECT_MS = 30_000;

/**
 * The NOC over TLS 1.3 with ALPN `uemkit-noc/1`: frames one after the other on the stream (docs/protocol/09, 9.6). The NOC must be the one of `trust`, and its certificate
 * must name the role, before a byte of the app is sent.
 */
export function tlsNocTransport({ connectMs = CONNECT_MS }: { readonly connectMs?: number } = {}): NocTransport {
  const dialling = { connectMs, contextOf: rootContexts() };
  return {
    async openNoc(request) {
      request.signal.throwIfAborted();
      const { socket } = await connected(request, NOC_ALPN, dialling);
      return framesOver(socket, request);
    },
    async openLink(request) {
      request.signal.throwIfAborted();
      const { socket } = await connected(request, LINK_ALPN, dialling);
      return bytesOver(socket, request);
    },
    async openDirect(request) {
      request.signal.throwIfAborted();
      const { socket, certificate } = await connected(request, DIRECT_ALPN, dialling);
      return { ...bytesOver(socket, request), serverKeyHash: new Uint8Array(keyHash(certificate)) };
    },
  };
}

/** Contexts by roots: one takes about 0.7 ms and 30 KiB, as much as its connection, and there is nothing of a connection in it. */
function rootContexts(): (roots: NocTrust['roots']) => SecureContext {
  // By the very list: one is kept as long as somebody has the trust.
  const known = new WeakMap<readonly Uint8Array[], SecureContext>();
  let platform: SecureContext | undefined;
  return (roots) => {
    if (roots === 'platform') {
      platform ??= createSecureContext({ minVersion: 'TLSv1.3' });
      return platform;
    }
    const made = known.get(roots) ?? createSecureContext({ ca: roots.map(pem), minVersion: 'TLSv1.3' });
    known.set(roots, made);
    return made;
  };
}

interface Dialling {
  readonly connectMs: number;
  contextOf(roots: NocTrust['roots']): SecureContext;
}

interface Connected {
  readonly socket: TLSSocket;
  readonly certificate: X509Certificate;
}

type Dial = Pick<NocRequest, 'address' | 'trust' | 'signal'>;

function connected({ address, trust, signal }: Dial, alpn: string, { connectMs, contextOf }: Dialling): Promise<Connected> {
  const { host, port } = hostAndPort(address);
  const chained = trust.roots === 'platform' || trust.roots.length > 0;
  // check: there is something to check the NOC against
  if (!chained && trust.spkiPins.length === 0) throw new ProtocolError('ERR_TRANSPORT_TLS', 'there is neither a root nor a key pin to trust the NOC by');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: contextOf(trust.roots),
      minVersion: 'TLSv1.3',
      ALPNProtocols: [alpn],
      // Without roots the pin below is the whole check.
      rejectUnauthorized: chained,
      timeout: connectMs,
    });
    socket.setNoDelay(true);
    // Stays: an error of a socket that nobody listens to would end the process.
    socket.on('error', ignore);
    // Nothing of the handshake stays at a socket that is open: it would hold the certificate and the signal as long as the link.
    const settled = (): void => {
      signal.removeEventListener('abort', abort);
      socket.off('timeout', late).off('error', broken).off('secureConnect', secured).off('close', settled);
    };
    const end = (error: unknown): void => {
      settled();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => end(signal.reason);
    const late = (): void => end(new ProtocolError('ERR_TRANSPORT_TIMEOUT', 'no TLS handshake in time'));
    const broken = (error: Error): void => end(tlsError(error));
    const secured = (): void => {
      const certificate = socket.getPeerX509Certificate();
      const refusal = refusalOf(socket, certificate, trust, alpn);
      if (certificate === undefined || refusal !== undefined) return end(refusal);
      settled();
      socket.setTimeout(0);
      resolve({ socket, certificate });
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.on('timeout', late).on('error', broken).on('secureConnect', secured).on('close', settled);
  });
}

function ignore(): void {}

function refusalOf(socket: TLSSocket, certificate: X509Certificate | undefined, { spkiPins }: NocTrust, alpn: string): ProtocolError | undefined {
  const refused = (message: string): ProtocolError => new ProtocolError('ERR_TRANSPORT_TLS', message);
  const role = alpn === DIRECT_ALPN ? 'connectivity-node' : 'noc';
  // check: ALPN of the server
  if (socket.alpnProtocol !== alpn) return refused(role === 'noc' ? 'the server is no NOC' : 'the server is no Proxy');
  // check: role in the certificate. Node quotes a name that has a comma, so that a part of one cannot pass for a whole.
  if (!certificate?.subjectAltName?.split(', ').includes(`URI:urn:uemkit:role:${role}`))
    return refused(`the certificate of the server does not name the role ${role}`);
  if (spkiPins.length === 0) return undefined;
  const pin = keyHash(certificate);
  // check: key pin of the server
  const isPinned = spkiPins.some((candidate) => candidate.length === pin.length && timingSafeEqual(candidate, pin));
  return isPinned ? undefined : refused('the server has another key than the pinned one');
}

function keyHash({ publicKey }: X509Certificate): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function framesOver(socket: TLSSocket, request: NocRequest): NocConnection {
  const parser = frameParser({ maxBodyBytes: NOC_BODY_BYTES, trailerBytes: nocTrailerBytes });
  let failure: ProtocolError | undefined;
  socket.on('data', (chunk: Uint8Array) => {
    try {
      for (const frame of parser.push(chunk)) request.onFrame(frame);
    } catch (error) {
      socket.destroy();
      if (!isProtocolError(error)) throw error;
      failure = error;
    }
  });
  socket.on('error', (error) => {
    failure ??= tlsError(error);
  });
  socket.once('close', () => {
    try {
      parser.end();
    } catch {
      failure ??= new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke within a frame');
    }
    request.onClose(failure);
  });
  return {
    send(frame) {
      if (!socket.destroyed) socket.write(frame);
    },
    close: () => socket.destroy(),
  };
}

/** With so much waiting nothing more is taken. */
const HIGH_BYTES = 262_144;
/** Label of RFC 9266, with an empty context. */
const BINDING_LABEL = 'EXPORTER-Channel-Binding';

/** What is written in this turn of the event loop leaves together: TLS makes full records of it, and the system is called once. */
function gather(socket: TLSSocket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  setImmediate(() => socket.uncork());
}

function bytesOver(socket: TLSSocket, { onBytes, onRoom, onEnd, onClose }: LinkChannelRequest): LinkChannel {
  let failure: ProtocolError | undefined;
  // Plain views: the parts of a `Buffer` would share memory where a copy is expected.
  socket.on('data', (chunk: Uint8Array) => onBytes(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)));
  socket.on('drain', () => onRoom());
  socket.once('end', () => onEnd());
  socket.on('error', (error) => {
    failure ??= tlsError(error);
  });
  socket.once('close', () => onClose(failure));
  return {
    binding: { kind: 'tls-exporter', value: new Uint8Array(socket.exportKeyingMaterial(32, BINDING_LABEL, Buffer.alloc(0))) },
    canPause: true,
    send(bytes) {
      if (socket.destroyed) return true;
      gather(socket);
      return socket.write(bytes) || socket.writableLength < HIGH_BYTES;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    close() {
      // What was sent in this turn leaves first: the last of it says that the end is meant.
      socket.uncork();
      socket.destroy();
    },
  };
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(address);
  const [host, port] = [match?.[1] ?? match?.[2], Number(match?.[3])];
  if (host === undefined || port < 1 || port > 65_535) throw new ProtocolError('ERR_USAGE_ARGUMENT', 'an address is `host:port`', { details: { address } });
  return { host, port };
}

function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import {
  backoff,
  type CancelTimer,
  type Clock,
  type CryptoProvider,
  type Entropy,
  fromHex,
  type HandshakeBinding,
  isProtocolError,
  ProtocolError,
  secret,
  wipe,
  x509,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { placeOf } from '../data/lab-addresses.ts';
import { fromPem, readPrivateKeyPem } from '../data/pem.ts';
import type { RoleFile } from '../data/role-file.ts';
import { proxyIdOf } from '../links/certificate-guard.ts';
import { callRole } from '../links/role-call.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { Journal } from '../roles/role.ts';
import { dialNoc } from './dial-noc.ts';
import { listenDirect } from './direct-listener.ts';
import type { HttpServer } from './listening.ts';
import { keepAlive, NODE_ALPN, NODE_DIALLED_ALPN, NODE_REQUESTS } from './node-listener.ts';
import { PROXY_PATH, TICKET_BYTES, TICKET_HEADER } from './node-sessions.ts';
import { type ProxyServices, proxyServices } from './proxy-services.ts';
import { type KnownApp, serveProxySession } from './proxy-streams.ts';

/** Port of Direct Connect in the vendor's description. */
export const DIRECT_CONNECT_PORT = 17_533;
/** Until a lost NOC, or UEM, is tried again. */
const RETRY = { minMs: 100, baseMs: 500, maxMs: 30_000 };
/** A connection that stood for so long begins the pauses anew. */
const STEADY_MS = 10_000;
/** Connections for apps that a node has at once, those that are being dialled included. */
const MAX_APP_CONNECTIONS = 4_096;
/** A connection whose other machine is gone without a word is found out by the system. */
const KEEP_ALIVE_MS = 10_000;

export interface ConnectivityNodeOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly journal: Journal;
  readonly file: RoleFile;
  /** `host` and `port` of the NOC's listener for nodes. */
  readonly noc: { readonly host: string; readonly port: number };
  /** Way to UEM. */
  readonly uem: RoleLink;
  /** Way to the NOC, for what goes to push channels. */
  readonly nocLink: RoleLink;
  /** Port of Direct Connect, on the host of the place; 0: any. UEM is told, and with it the apps (F11). */
  readonly directPort: number;
  /** True: any port, when that one is taken. */
  readonly mayMove?: boolean | undefined;
}

/** A Connectivity Node with one component: the Proxy (F10.3). It listens for Direct Connect (F11); who opens its listener for application servers hands their requests to `services`. */
export interface ConnectivityNode {
  /** Follows from the key of its certificate. */
  readonly proxyId: string;
  /** True while its standing connection to the NOC is open. */
  readonly connected: boolean;
  /** True once UEM knows it. */
  readonly registered: boolean;
  /** Resolves once UEM knows it and its connection to the NOC stands, for the first time. */
  readonly ready: Promise<void>;
  /** Answers application servers. */
  readonly services: ProxyServices;
  /** Breaks every connection that it has, those of Direct Connect among them; the one to the NOC comes back by itself. */
  restart(): void;
  close(): void;
}

const TICKET = new RegExp(`^[0-9a-f]{${2 * TICKET_BYTES}}$`);

/** Starts a node: it makes itself known to UEM, dials the NOC, and does both again until it is closed. @throws ProtocolError `ERR_STORE_READ` */
export function startConnectivityNode(options: ConnectivityNodeOptions): ConnectivityNode {
  const { clock, crypto, entropy, journal, file, uem, nocLink } = options;
  if (file.node === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of the Connectivity Node has no key');
  const exchange = readPrivateKeyPem(file.node.keyExchangeKey);
  const proxyId = proxyIdOf(crypto, fromPem('CERTIFICATE', file.certificate));
  const serverKeyHash = crypto.sha256(x509.publicKeyInfo(x509.readCertificate(fromPem('CERTIFICATE', file.certificate)).publicKey));
  let isClosed = false;
  let setReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const maybeReady = (): void => {
    if (isRegistered && session !== undefined) setReady();
  };
  let isRegistered = false;
  let session: ServerHttp2Session | undefined;
  let socket: TLSSocket | undefined;
  let cancelDial: CancelTimer = () => {};
  let cancelRegister: CancelTimer = () => {};

  const note = (service: string, request: string, answer: string, reason?: string, step = 'F10.3'): void =>
    journal.record({ timeMs: clock.nowMs(), role: 'connectivity-node', service, request, answer, source: '', step, reason });

  const pauses = (): Iterator<number> => backoff(RETRY, entropy)[Symbol.iterator]();
  const registerPauses = pauses();
  let dialPauses = pauses();

  const listen = async (): Promise<number> => {
    const { host } = placeOf(file.place, 'connectivity-node');
    const refused = (_source: string, reason: string): void => note('dc', 'connection', 'closed', reason, 'F11.2');
    const at = (port: number): Promise<HttpServer> =>
      listenDirect({ clock, host, port, key: file.key, certificate: file.certificate, accept: acceptDirect, refused });
    try {
      direct = await at(options.directPort).catch((error: unknown) => {
        if (options.mayMove !== true || !isProtocolError(error)) throw error;
        return at(0);
      });
      if (isClosed) await direct.close();
      return direct.port;
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      // Through the NOC it is there all the same.
      note('dc', 'listener', 'failed', error.message, 'F11.2');
      return DIRECT_CONNECT_PORT;
    }
  };
  let direct: HttpServer | undefined;

  const register = async (): Promise<void> => {
    try {
      const { advertise: host } = placeOf(file.place, 'connectivity-node');
      const message = wire.registerProxy.encode({ host, port: await listened, keyExchangeKey: exchange.publicKey });
      await callRole(uem, 'proxies', message, wire.acknowledgement);
      isRegistered = true;
      note('proxies', 'registerProxy', 'acknowledgement');
      maybeReady();
    } catch (error) {
      note('proxies', 'registerProxy', 'failed', isProtocolError(error) ? `${error.code} ${error.message}` : 'bug');
      if (!isClosed) cancelRegister = clock.setTimer(registerPauses.next().value as number, () => void register());
    }
  };

  const dial = (): void => {
    let stoodSinceMs: number | undefined;
    const again = (reason: string): void => {
      if (isClosed) return;
      note('noc', 'connection', 'closed', reason);
      if (stoodSinceMs !== undefined && clock.monotonicMs() - stoodSinceMs >= STEADY_MS) dialPauses = pauses();
      cancelDial = clock.setTimer(dialPauses.next().value as number, dial);
    };
    let why = 'the connection broke';
    const dialled = dialNoc(options, NODE_ALPN, (below) => {
      stoodSinceMs = clock.monotonicMs();
      session = serve(below);
      note('noc', 'connection', 'open');
      maybeReady();
    });
    socket = dialled;
    dialled.on('error', (error) => {
      why = error.message;
    });
    dialled.once('close', () => {
      session = undefined;
      again(why);
    });
  };

  /** HTTP/2 with reversed roles: the node dialled, and the NOC asks. */
  const serve = (below: TLSSocket): ServerHttp2Session => {
    const served = performServerHandshake(below, { settings: { maxConcurrentStreams: NODE_REQUESTS } });
    served.on('error', () => below.destroy());
    served.once('close', () => below.destroy());
    served.on('stream', (stream, headers) => accept(stream, headers));
    keepAlive(served);
    return served;
  };

  /** The NOC has an app for this Proxy: it gets a connection of its own, on which the NOC has nothing to do but to pass bytes on. */
  const accept = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    stream.on('error', () => stream.destroy());
    stream.resume();
    const answer = (status: number): void => {
      if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': status }, { endStream: true });
    };
    if (headers[':path'] !== PROXY_PATH) return answer(404);
    const ticket = String(headers[TICKET_HEADER]);
    if (!TICKET.test(ticket)) return answer(400);
    if (forApps.size >= MAX_APP_CONNECTIONS) return answer(503);
    const dialled = dialNoc(options, NODE_DIALLED_ALPN, (below) => {
      below.setKeepAlive(true, KEEP_ALIVE_MS);
      below.write(fromHex(ticket));
      answer(200);
      serveApp(below);
    });
    forApps.add(dialled);
    dialled.on('error', () => dialled.destroy());
    dialled.once('close', () => {
      forApps.delete(dialled);
      answer(503);
    });
  };
  // BOUNDED by MAX_APP_CONNECTIONS.
  const forApps = new Set<TLSSocket>();

  const serveApp = (below: TLSSocket): void => {
    const told = (request: string, answer: string, reason?: string): void => note('px', request, answer, reason, 'F10.4');
    const prologue = { tenantId: file.tenantId, proxyId, keyExchangeKey: exchange.publicKey };
    const identify = identifyBy((instanceId) => ({ name: 'px', prologue: { ...prologue, instanceId } }));
    serveProxySession(below, { name: 'px', clock, crypto, entropy, identify, stillKnown, told });
  };

  const acceptDirect = (below: TLSSocket, value: Uint8Array, proved: () => void): void => {
    const told = (request: string, answer: string, reason?: string): void => {
      if (answer === 'established') proved();
      note('dc', request, answer, reason, 'F11.4');
    };
    const binding = { kind: 'tls-exporter', value } as const;
    const prologue = { tenantId: file.tenantId, proxyId, keyExchangeKey: exchange.publicKey, binding, serverKeyHash };
    const identify = identifyBy((instanceId) => ({ name: 'dc', prologue: { ...prologue, instanceId } }));
    serveProxySession(below, { name: 'dc', clock, crypto, entropy, identify, stillKnown, told });
  };

  /** Undefined: UEM knows no such app. @throws ProtocolError `ERR_REJECTED_BUSY` */
  const keyOf = async ({ pskId, instanceId }: Pick<wire.HandshakeStart, 'pskId' | 'instanceId'>): Promise<wire.ProxyKeyResponse | undefined> => {
    const asked = { sessionKeyId: pskId as Uint8Array, instanceId: instanceId as Uint8Array };
    try {
      return await callRole(uem, 'proxies', wire.proxyKeyRequest.encode(asked), wire.proxyKeyResponse);
    } catch (error) {
      // check: F10.3 a UEM that is busy, or wrong, says nothing about the app
      if (isProtocolError(error) && error.details['alert'] === 'authFailed') return undefined;
      throw new ProtocolError('ERR_REJECTED_BUSY', 'UEM cannot be asked now', { cause: error });
    }
  };

  const stillKnown = async (start: wire.HandshakeStart): Promise<readonly wire.Destination[] | undefined> => {
    const given = await keyOf(start);
    wipe(given?.key);
    return given?.destinations;
  };

  /** The key of an app, for this connection alone. */
  const identifyBy =
    (bindingOf: (instanceId: Uint8Array) => HandshakeBinding) =>
    async ({ pskId, instanceId }: wire.HandshakeStart): Promise<KnownApp> => {
      const given = await keyOf({ pskId, instanceId });
      if (given === undefined) return { result: { type: 'identified' }, destinations: [] };
      const peer = {
        binding: bindingOf(instanceId as Uint8Array),
        psk: secret<'psk'>(given.key),
        staticScalar: secret<'static-scalar'>(exchange.scalar.slice()),
      } as const;
      return { result: { type: 'identified', peer }, destinations: given.destinations };
    };

  const services = proxyServices({
    ...{ clock, crypto, entropy, uem, noc: nocLink },
    note: (request, answer, source, reason) =>
      journal.record({ timeMs: clock.nowMs(), role: 'connectivity-node', service: 'proxyServices', request, answer, source, step: 'F10.4', reason }),
  });
  const listened = listen();
  void register();
  dial();
  return {
    proxyId,
    ready,
    services,
    get connected() {
      return session !== undefined;
    },
    get registered() {
      return isRegistered;
    },
    restart: breakConnections,
    close() {
      isClosed = true;
      cancelDial();
      cancelRegister();
      breakConnections();
      void direct?.close();
      exchange.scalar.fill(0);
    },
  };

  function breakConnections(): void {
    for (const each of [socket, ...forApps]) each?.destroy();
    direct?.dropConnections();
  }
}

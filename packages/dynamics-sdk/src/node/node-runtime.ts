import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { CookieJar } from 'tough-cookie';
import type { Dispatcher } from 'undici';
import type { ConnectTarget, WayOptions } from '../connections/way.ts';
import { CookieKeeper } from '../http/cookie-keeper.ts';
import { pushChannels } from '../push/push-channels.ts';
import type { DynamicsRuntime } from '../runtime/dynamics-runtime.ts';
import type { DynamicsRuntimeOptions } from '../runtime/options.ts';
import { openDynamicsRuntime as openPortable } from '../runtime/runtime.ts';
import { ConnectionSocket } from './connection-socket.ts';
import { runtimeDispatcher } from './dispatcher.ts';
import { RuntimeHttpAgent, RuntimeHttpsAgent } from './http-agents.ts';
import { type RuntimeFetch, runtimeFetch } from './runtime-fetch.ts';
import type { AppTls } from './secured.ts';
import { type ServerConnector, serverConnector } from './server-connector.ts';

export interface NodeRuntimeOptions extends DynamicsRuntimeOptions {
  /** TLS to the servers of the app, inside of its connections; absent: the roots that Node comes with. */
  readonly tls?: AppTls | undefined;
}

/** A runtime whose connections are there in the forms that clients on Node take. Each rejects and fails as `DynamicsRuntime.connect` says. */
export interface NodeDynamicsRuntime extends Omit<DynamicsRuntime, 'connect'> {
  /**
   * A connection in the form of a `net.Socket`, for `tls.connect({ socket })` and whatever takes a socket or a `Duplex`: nodemailer, `pg`, `ioredis`. It is a stream of this
   * runtime, not a socket of the system: it knows no addresses, and cannot be connected again.
   */
  connect(target: ConnectTarget, options?: WayOptions): Promise<Socket>;
  /**
   * `fetch` with cookies, which are in the container. Rejects with a ProtocolError where one is the cause: `ERR_TRANSPORT_TLS` for a certificate that is not the one of the
   * host, and all of `connect`. A body that breaks off fails with a `TypeError` that has it as `cause`.
   */
  readonly fetch: RuntimeFetch;
  /** For clients on undici: `fetch(url, { dispatcher: runtime.dispatcher })`. Without cookies. */
  readonly dispatcher: Dispatcher;
  /** For clients that take an agent of `node:http`, `http:` and `ws:`. */
  readonly httpAgent: HttpAgent;
  /** For `https:` and `wss:`. */
  readonly httpsAgent: HttpsAgent;
}

/**
 * `openDynamicsRuntime` of the portable entry, with `fetch`, `dispatcher` and agents on it.
 *
 * @example
 * const runtime = await openDynamicsRuntime({ ...options, tls: { ca: companyRoot } })
 * const page = await runtime.fetch('https://wiki.example.com/')
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`, `ERR_STORE_*`
 */
export async function openDynamicsRuntime({ tls = {}, ...options }: NodeRuntimeOptions): Promise<NodeDynamicsRuntime> {
  const runtime = await openPortable({ pushChannels: pushChannels(), ...options });
  const { clock } = options;
  const open = runtime.connect.bind(runtime);
  const close = runtime.close.bind(runtime);
  const connect = serverConnector({ open, clock, tls });
  const cookies = new CookieKeeper(() => runtime.container, CookieJar);
  const clients = new Clients(connect);
  const made = Object.assign(runtime as Omit<DynamicsRuntime, 'connect'>, {
    connect: async (target: ConnectTarget, wanted?: WayOptions): Promise<Socket> => new ConnectionSocket(await open(target, wanted), clock),
    fetch: runtimeFetch({
      cookies,
      get dispatcher() {
        return clients.dispatcher;
      },
    }),
    async close(): Promise<void> {
      await cookies.settled();
      await close();
      await clients.close();
    },
  });
  const of = (name: 'dispatcher' | 'httpAgent' | 'httpsAgent'): PropertyDescriptor => ({ enumerable: true, get: () => clients[name] });
  Object.defineProperties(made, { dispatcher: of('dispatcher'), httpAgent: of('httpAgent'), httpsAgent: of('httpsAgent') });
  return made as NodeDynamicsRuntime;
}

/** What clients take, made when it is asked for: an app that is at rest pays 5 KiB less. */
class Clients {
  readonly #connect: ServerConnector;
  #dispatcher: Dispatcher | undefined;
  #httpAgent: HttpAgent | undefined;
  #httpsAgent: HttpsAgent | undefined;

  constructor(connect: ServerConnector) {
    this.#connect = connect;
  }

  get dispatcher(): Dispatcher {
    this.#dispatcher ??= runtimeDispatcher(this.#connect);
    return this.#dispatcher;
  }

  get httpAgent(): HttpAgent {
    this.#httpAgent ??= new RuntimeHttpAgent(this.#connect);
    return this.#httpAgent;
  }

  get httpsAgent(): HttpsAgent {
    this.#httpsAgent ??= new RuntimeHttpsAgent(this.#connect);
    return this.#httpsAgent;
  }

  async close(): Promise<void> {
    this.#httpAgent?.destroy();
    this.#httpsAgent?.destroy();
    await this.#dispatcher?.destroy();
  }
}

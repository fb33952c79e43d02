import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { AppTls } from './secured.ts';
import type { ServerConnector } from './server-connector.ts';

type Created = (error: Error | null, socket: Duplex) => void;

const TLS_OPTIONS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'minVersion', 'checkServerIdentity', 'ciphers'] as const satisfies readonly (keyof AppTls)[];

/** For clients that take an agent of `node:http`: `http.get`, axios, ws. */
export class RuntimeHttpAgent extends HttpAgent {
  readonly #connect: ServerConnector;

  constructor(connect: ServerConnector) {
    super({ keepAlive: true });
    this.#connect = connect;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): undefined {
    answer(this.#connect({ host: hostOf(options), port: Number(options.port ?? 80), isSecure: false }), created);
  }
}

/** For clients that take an agent of `node:https`. Options of TLS that a request brings go before those of the runtime; the certificate is checked whatever it says. */
export class RuntimeHttpsAgent extends HttpsAgent {
  readonly #connect: ServerConnector;

  constructor(connect: ServerConnector) {
    super({ keepAlive: true });
    this.#connect = connect;
  }

  override createConnection(options: RequestOptions, created?: Created): undefined {
    const tls = Object.fromEntries(
      TLS_OPTIONS.filter((name) => options[name as keyof RequestOptions] != null).map((name) => [name, options[name as keyof RequestOptions]]),
    );
    answer(this.#connect({ host: hostOf(options), port: Number(options.port ?? 443), isSecure: true, servername: options.servername, tls }), created);
  }
}

function answer(connecting: Promise<Duplex>, created: Created | undefined): void {
  connecting.then(
    (socket) => created?.(null, socket),
    // The second argument is not read with an error.
    (error) => created?.(error, undefined as unknown as Duplex),
  );
}

function hostOf({ host, hostname }: ClientRequestArgs): string {
  return hostname ?? host ?? '';
}

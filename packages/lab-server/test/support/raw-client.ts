import { request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** What came back on one connection until it closed. */
export function sendRaw(options: ConnectionOptions, bytes: Uint8Array | string): Promise<{ readonly received: string; readonly error?: string }> {
  return new Promise((resolve) => {
    let received = '';
    let error: string | undefined;
    const socket: TLSSocket = connect({ host: '127.0.0.1', ...options }, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      error = cause.code ?? cause.message;
    });
    socket.on('close', () => resolve({ received, ...(error === undefined ? {} : { error }) }));
  });
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** One HTTPS request without a pool. */
export function ask(
  url: string,
  options: {
    readonly ca: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: Uint8Array | string;
  } & ConnectionOptions,
): Promise<PlainAnswer> {
  const { method = 'GET', headers = {}, body, ...tls } = options;
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...tls, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

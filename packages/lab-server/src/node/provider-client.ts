import { type ClientHttp2Session, connect } from 'node:http2';
import { checkServerIdentity } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import { roleUri } from '../links/certificate-guard.ts';
import type { ProviderAnswer, ProviderCall, ProviderWire } from '../roles/infrastructure/push/push-sender.ts';
import { MAX_PROVIDER_ANSWER_BYTES } from './limits.ts';

/** From the request to the whole answer. */
const ANSWER_MS = 15_000;

export interface ProviderClientOptions {
  /** `https://host:port` of the provider listener, as it is called. */
  readonly origin: string;
  /** Where to dial it, when that is not its name: in the same process the name need not be known to this machine. */
  readonly dial?: string | undefined;
  /** Root of the lab, PEM. */
  readonly root: string;
  /** MDM push certificate, PEM. */
  readonly key: string;
  readonly certificate: string;
}

/** A way to the provider APIs that can be closed. */
export interface ProviderClient extends ProviderWire {
  close(): void;
}

/** Speaks HTTP/2 with the provider APIs: one connection with the MDM push certificate, one without, each opened when it is needed and again when it broke. */
export function providerClient(options: ProviderClientOptions): ProviderClient {
  const sessions = new Map<'certificate' | 'none', ClientHttp2Session>();
  const hostname = new URL(options.origin).hostname.replace(/^\[|\]$/g, '');
  let closed = false;

  const sessionOf = (kind: 'certificate' | 'none'): ClientHttp2Session => {
    const open = sessions.get(kind);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(options.dial ?? options.origin, {
      ca: options.root,
      minVersion: 'TLSv1.3',
      ...(kind === 'certificate' ? { key: options.key, cert: options.certificate } : {}),
      checkServerIdentity: (_host, certificate) => {
        const names = (certificate.subjectaltname ?? '').split(', ');
        return (
          checkServerIdentity(hostname, certificate) ?? (names.includes(`URI:${roleUri('notification')}`) ? undefined : new Error('not the notification role'))
        );
      },
    });
    const forget = (): void => {
      if (sessions.get(kind) === session) sessions.delete(kind);
    };
    // Every request on it has failed by then; this only keeps the event from being thrown.
    session.on('error', forget);
    session.once('close', forget);
    session.once('goaway', () => {
      forget();
      session.close();
    });
    // It does not keep the process alive by itself.
    session.unref();
    sessions.set(kind, session);
    return session;
  };

  return {
    async request(call) {
      if (closed) throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'the way to the notification services is closed');
      return send(sessionOf(call.certificate === true ? 'certificate' : 'none'), call);
    },
    close() {
      closed = true;
      for (const session of sessions.values()) session.destroy();
      sessions.clear();
    },
  };
}

function send(session: ClientHttp2Session, { method, target, headers, body }: ProviderCall): Promise<ProviderAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (
      code: 'ERR_TRANSPORT_CONNECT' | 'ERR_TRANSPORT_TIMEOUT' | 'ERR_TRANSPORT_CLOSED' | 'ERR_TRANSPORT_HTTP',
      text: string,
      cause?: unknown,
    ): void => {
      clearTimeout(late);
      reject(new ProtocolError(code, text, cause === undefined ? {} : { cause }));
    };
    const late = setTimeout(() => {
      stream?.close(8 /* CANCEL */);
      fail('ERR_TRANSPORT_TIMEOUT', 'no answer from the notification service');
    }, ANSWER_MS);
    let stream: ReturnType<ClientHttp2Session['request']> | undefined;
    try {
      stream = session.request({ ':method': method, ':path': target, ...headers });
    } catch (cause) {
      return fail('ERR_TRANSPORT_CLOSED', 'the connection to the notification service is gone', cause);
    }
    let answer: { readonly status: number; readonly headers: ProviderAnswer['headers'] } | undefined;
    const chunks: Buffer[] = [];
    let lengthBytes = 0;
    stream.on('response', ({ ':status': status = 0, ...rest }) => {
      answer = { status, headers: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value])) };
    });
    stream.on('data', (chunk: Buffer) => {
      lengthBytes += chunk.length;
      if (lengthBytes <= MAX_PROVIDER_ANSWER_BYTES) return void chunks.push(chunk);
      stream.close(8);
      fail('ERR_TRANSPORT_HTTP', 'the answer of the notification service is too long');
    });
    stream.on('error', (cause) => fail('ERR_TRANSPORT_CONNECT', 'the notification service cannot be reached', cause));
    stream.on('close', () => {
      clearTimeout(late);
      // A stream that was cancelled ends like a good one; its answer is not whole.
      if (answer !== undefined && stream.rstCode === 0) resolve({ ...answer, body: Buffer.concat(chunks).toString('utf8') });
      else fail('ERR_TRANSPORT_CLOSED', 'the notification service closed before the answer');
    });
    stream.end(body);
  });
}

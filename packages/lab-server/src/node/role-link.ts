import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { ProtocolError } from '@uemkit/protocol';
import { roleUri } from '../links/certificate-guard.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import type { RoleAnswer, RoleName } from '../roles/role.ts';
import { FRAME_MEDIA_TYPE, mediaType, SERVICE_PATH } from './frame-binding.ts';
import { plainBytes } from './http-server.ts';
import { FRAME_BYTES } from './limits.ts';

/** Connections from one role to another; more requests wait for one of them. One for the wake-ups of each notification service, as each may be slow, and some for the rest. */
const CONNECTIONS = 8;
/** From the request to the whole answer. */
const ANSWER_MS = 15_000;

export interface RoleLinkOptions {
  /** `host:port` of the link listener. */
  readonly address: string;
  /** The role that has to be there. */
  readonly role: RoleName;
  /** Certificate of the calling role, PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Root of all roles, PEM. */
  readonly root: string;
}

/** A link that can be closed. */
export interface MutualTlsLink extends RoleLink {
  close(): void;
}

/** One role calls another over mutual TLS 1.3: each shows its role certificate, and the other end has to be the role that was asked for. */
export function mutualTlsLink(options: RoleLinkOptions): MutualTlsLink {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    key: options.key,
    cert: options.certificate,
    ca: options.root,
    minVersion: 'TLSv1.3',
    timeout: ANSWER_MS,
    checkServerIdentity: (host, certificate) => checkServerIdentity(host, certificate) ?? roleError(certificate, options.role),
  });
  return {
    request(service, frame) {
      return new Promise((resolve, reject) => {
        const sent = request(
          `https://${options.address}${SERVICE_PATH}${service}`,
          { method: 'POST', agent, headers: { 'content-type': FRAME_MEDIA_TYPE, 'content-length': frame.length }, timeout: ANSWER_MS },
          (response) => readAnswer(response).then(resolve, reject),
        );
        sent.on('timeout', () => sent.destroy(new ProtocolError('ERR_TRANSPORT_TIMEOUT', `no answer from ${options.role}`)));
        sent.on('error', (cause) =>
          reject(
            cause instanceof ProtocolError
              ? cause
              : new ProtocolError('ERR_TRANSPORT_CONNECT', `${options.role} at ${options.address} cannot be reached`, { cause }),
          ),
        );
        sent.end(frame);
      });
    },
    close: () => agent.destroy(),
  };
}

/** Why the certificate of a server is not that of this role. */
export function roleError(certificate: PeerCertificate, role: RoleName): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(', ');
  return names.includes(`URI:${roleUri(role)}`) ? undefined : new Error(`the certificate is not that of role ${role}`);
}

async function readAnswer(response: IncomingMessage): Promise<RoleAnswer> {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    lengthBytes += chunk.length;
    if (lengthBytes > FRAME_BYTES) {
      response.destroy();
      throw new ProtocolError('ERR_TRANSPORT_HTTP', 'the answer is longer than any frame', { details: { status } });
    }
    chunks.push(chunk);
  }
  switch (status) {
    case 200:
      if (mediaType(response.headers['content-type']) !== FRAME_MEDIA_TYPE) break;
      return { status: 'answered', frame: plainBytes(Buffer.concat(chunks)) };
    case 400:
      return { status: 'malformed' };
    case 503:
      return { status: 'busy', retryAfterS: Number(response.headers['retry-after']) || 1 };
    case 500:
      return { status: 'failed' };
  }
  throw new ProtocolError('ERR_TRANSPORT_HTTP', `HTTP status ${status} between roles`, { details: { status } });
}

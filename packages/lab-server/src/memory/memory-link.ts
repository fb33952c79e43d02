import { type Duplex, duplexPair } from 'node:stream';
import { type keySchedule, ProtocolError } from '@uemkit/protocol';
import type { MemoryTrust } from './memory-trust.ts';

/** A link of an app to the NOC; the same shape as the request of a client. */
export interface MemoryLinkRequest {
  readonly address: string;
  readonly trust: MemoryTrust;
  onBytes(bytes: Uint8Array): void;
  onRoom(): void;
  onEnd(): void;
  onClose(error?: ProtocolError): void;
  readonly signal: AbortSignal;
}

/** An open link. */
export interface MemoryLinkChannel {
  readonly binding: keySchedule.ChannelBinding;
  readonly canPause: boolean;
  send(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  close(): void;
}

/** Opens one; both ends have the same channel binding, as over one TLS connection. `open` breaks it. */
export function openMemoryLink(
  noc: { openLink(stream: Duplex, binding: keySchedule.ChannelBinding, source: string): void; makeBinding(): Uint8Array },
  request: MemoryLinkRequest,
  source: string,
  open: Set<() => void>,
): MemoryLinkChannel {
  const [atApp, atNoc] = duplexPair();
  const value = noc.makeBinding();
  const cut = (): void => void atApp.destroy(new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke'));
  let failure: ProtocolError | undefined;
  open.add(cut);
  atApp.on('data', (chunk: Uint8Array) => request.onBytes(new Uint8Array(chunk)));
  atApp.on('drain', () => request.onRoom());
  atApp.once('end', () => request.onEnd());
  atApp.on('error', (error) => {
    failure = error as ProtocolError;
  });
  atApp.once('close', () => {
    open.delete(cut);
    atNoc.destroy();
    request.onClose(failure);
  });
  // As with a socket: what the NOC has broken is broken here, behind what it sent before.
  atNoc.once('close', () => {
    if (atNoc.writableFinished) atApp.end();
    else cut();
  });
  noc.openLink(atNoc, { kind: 'tls-exporter', value: value.slice() }, source);
  return {
    binding: { kind: 'tls-exporter', value },
    canPause: true,
    send: (bytes) => atApp.destroyed || atApp.write(bytes.slice()),
    pause: () => void atApp.pause(),
    resume: () => void atApp.resume(),
    end: () => void atApp.end(),
    close: () => void atApp.destroy(),
  };
}

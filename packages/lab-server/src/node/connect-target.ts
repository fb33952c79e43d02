import dns from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';

/** Why a server was not connected. */
export type TargetFailure = 'unreachable' | 'unknownHost' | 'timeout';

/** Longest time until a server is connected, its name looked up included. */
export const CONNECT_TARGET_MS = 15_000;

export interface ConnectTargetOptions {
  /** Nothing of it is at work any more: a look-up goes on in one of the few threads for them after the target was given up. */
  over?(): void;
  /**
   * Takes what the server sends in place of the socket's own events. The bytes are good until it returns. False: nothing more until `resume` of the socket.
   */
  onBytes?(bytes: Uint8Array): boolean;
  /** Most bytes of one `onBytes`: at most 65,536, and without it 65,408. */
  readonly readBytes?: number;
}

/** All sockets read into the same memory: what one has read is passed on, or copied, before the next one reads. */
const READ_BUFFER = new Uint8Array(65_536);
/** Fills whole TLS records when it was sealed in two records of `px`. */
const READ_BYTES = 65_408;

/** A TCP connection to a server, or why there is none. The two halves of it end apart. */
export function connectTarget(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  { over = () => {}, onBytes, readBytes = READ_BYTES }: ConnectTargetOptions = {},
): Promise<Socket | TargetFailure> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      over();
      return resolve('unreachable');
    }
    let isEnded = false;
    let isLookingUp = false;
    const lookup: LookupFunction = (host, options, found) => {
      isLookingUp = true;
      dns.lookup(host, options, (...answer) => {
        isLookingUp = false;
        if (isEnded) over();
        found(...answer);
      });
    };
    const onread = onBytes && {
      buffer: READ_BUFFER.subarray(0, readBytes),
      callback: (lengthBytes: number): boolean => onBytes(READ_BUFFER.subarray(0, lengthBytes)),
    };
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true, autoSelectFamily: true, lookup, ...(onread && { onread }) });
    const end = (result: Socket | TargetFailure): void => {
      if (isEnded) return;
      isEnded = true;
      if (!isLookingUp) over();
      clearTimeout(late);
      signal.removeEventListener('abort', aborted);
      if (typeof result === 'string') socket.destroy();
      resolve(result);
    };
    const late = setTimeout(() => end('timeout'), CONNECT_TARGET_MS);
    const aborted = (): void => end('unreachable');
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('connect', () => end(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => end(failureOf(error.code)));
  });
}

function failureOf(code: string | undefined): TargetFailure {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknownHost';
  return code === 'ETIMEDOUT' ? 'timeout' : 'unreachable';
}

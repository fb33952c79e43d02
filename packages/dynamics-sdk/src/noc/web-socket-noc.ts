import { type Clock, ProtocolError } from '@uemkit/protocol';
import type { NocConnection, NocRequest, NocTransport } from './noc-transport.ts';
import type { NocTrust } from './noc-trust.ts';
import { NOC_BODY_BYTES, NOC_PATH, NOC_SUBPROTOCOL } from './noc-wire.ts';
import { OPEN, UNSUITABLE, type WebSocketConstructor } from './web-socket.ts';
import { openWebSocketLink } from './web-socket-link.ts';

/** Header and longest trailer of a frame. */
const FRAME_EXTRA_BYTES = 8 + 32;

export interface WebSocketNocOptions {
  /** `WebSocket` of the platform. */
  readonly webSocket: WebSocketConstructor;
  readonly clock: Clock;
}

/**
 * The NOC over the platform's `WebSocket`, for pages: the platform's roots alone, since a page applies no others, no pins, and sees no certificate. What the app sends is
 * protected end to end, towards UEM from M1 on and towards a Proxy by `px`; the NOC itself is the one that the platform's TLS says it is. Links have no channel binding, so
 * they need `allowUnboundLink` here and the same at the NOC. There is no Direct Connect.
 */
export function webSocketNocTransport({ webSocket, clock }: WebSocketNocOptions): NocTransport {
  return {
    async openNoc(request) {
      request.signal.throwIfAborted();
      requirePlatformTrust(request.trust);
      return open(webSocket, request);
    },
    async openLink(request) {
      request.signal.throwIfAborted();
      requirePlatformTrust(request.trust);
      return openWebSocketLink(webSocket, clock, request);
    },
  };
}

function requirePlatformTrust({ roots, spkiPins }: NocTrust): void {
  // check: trust that a page can apply
  if (roots !== 'platform' || spkiPins.length > 0) throw new ProtocolError('ERR_TRANSPORT_TLS', 'a page cannot apply own roots or key pins');
}

function open(WebSocket: WebSocketConstructor, { address, signal, onFrame, onClose }: NocRequest): Promise<NocConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${address}${NOC_PATH}`, NOC_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    let isOpen = false;
    const abort = (): void => socket.close(1000);
    signal.addEventListener('abort', abort, { once: true });
    socket.addEventListener('open', () => {
      isOpen = true;
      signal.removeEventListener('abort', abort);
      resolve({
        send(frame) {
          if (socket.readyState === OPEN) socket.send(frame);
        },
        close: () => socket.close(1000),
      });
    });
    socket.addEventListener('message', ({ data }) => {
      // check: form and size of a message
      if (data instanceof ArrayBuffer && data.byteLength <= NOC_BODY_BYTES + FRAME_EXTRA_BYTES) onFrame(new Uint8Array(data));
      else socket.close(UNSUITABLE);
    });
    socket.addEventListener('close', ({ code, wasClean }) => {
      signal.removeEventListener('abort', abort);
      if (!isOpen)
        return reject(signal.aborted ? signal.reason : new ProtocolError('ERR_TRANSPORT_CONNECT', 'no connection to the NOC', { details: { code } }));
      onClose(wasClean ? undefined : new ProtocolError('ERR_TRANSPORT_CLOSED', 'the connection to the NOC broke', { details: { code } }));
    });
  });
}

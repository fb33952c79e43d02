import {
  drive,
  type FrameReceiver,
  handshakeStream,
  isProtocolError,
  keyForwardInitiator,
  keySchedule,
  ProtocolError,
  type StreamLink,
  secret,
  wipe,
} from '@uemkit/protocol';
import { type AccessKeyForward, type AccessKeyResponse, peekFrameName } from '@uemkit/protocol/wire';
import { connectThroughNoc, type LinkConnection, type LinkReceiver } from '../connections/noc-link.ts';
import type { DelegateHost } from './delegate-port.ts';

const NO_STORE = { commit: async () => {} };

/**
 * 0x51 to UEM and its answer, over this app's own session with UEM through the NOC (F3.4, F3.5).
 * @throws ProtocolError `ERR_USAGE_STATE` until the app is activated; `ERR_CONNECTION_*`, `ERR_PEER_*`, `ERR_REJECTED_*`, `ERR_CRYPTO_*`
 */
export async function askCore({ ports, activated }: DelegateHost, request: AccessKeyForward, signal: AbortSignal): Promise<AccessKeyResponse> {
  const { crypto, entropy, clock, trace } = ports;
  const { link, data, instanceId } = activated() ?? {};
  if (link === undefined || data === undefined || instanceId === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated yet');
  const { linkId, masterLinkKey, tenantId, coreId } = link;
  const stream = new CoreStream();
  const connection = await connectThroughNoc({ ...ports, linkId, masterLinkKey }, { to: 'proxy', proxyId: coreId }, stream, signal);
  stream.connection = connection;
  const masterSessionKey = secret<'master-session'>(data.masterSessionKey.slice());
  const psk = keySchedule.proxyPsk(crypto, masterSessionKey, coreId);
  const { sessionKeyId, coreKeyExchangeKey: keyExchangeKey } = data;
  const machine = keyForwardInitiator({
    ...{ crypto, entropy, sessionKeyId, psk, prologue: { tenantId, proxyId: coreId, instanceId, keyExchangeKey } },
    // The device is named where one is known, though UEM knows it by the session: a mistake on the way shows.
    request: { ...request, deviceId: data.deviceId },
  });
  wipe(masterSessionKey, psk);
  let answerStep = 'F3.4';
  try {
    const driven = drive(machine, {
      ...{ clock, store: NO_STORE, link: stream, signal },
      request: () => Promise.reject(new ProtocolError('ERR_INTERNAL', 'a request to UEM asks for nothing')),
      onFrame(direction, frame, step) {
        const isSent = direction === 'sent';
        if (isSent && peekFrameName(frame) === 'handshakeFinish') answerStep = 'F3.5';
        trace?.({ step: step ?? answerStep, from: isSent ? 'sibling' : 'uem', to: isSent ? 'uem' : 'sibling', frame, timeMs: clock.nowMs() });
      },
    });
    return await driven.ended;
  } finally {
    // However it ended: nothing of the session stays in memory.
    machine.handle({ type: 'closed' }, clock.nowMs());
    connection.close();
  }
}

/** The bytes of a connection through the NOC, cut into frames and records of `px`. */
class CoreStream implements LinkReceiver, StreamLink {
  readonly #stream = handshakeStream('px', 'responder');
  #receiver: FrameReceiver | undefined;
  connection: LinkConnection | undefined;

  receive(receiver: FrameReceiver): void {
    this.#receiver = receiver;
  }

  /** A request is short: it does not wait for room. */
  send(frame: Uint8Array): void {
    this.connection?.send(frame);
  }

  onBytes(bytes: Uint8Array): void {
    try {
      for (const frame of this.#stream.push(bytes)) this.#receiver?.received(frame);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#receiver?.closed(error);
    }
  }

  onRoom(): void {}

  onEnd(): void {
    this.#receiver?.closed();
  }

  onClose(error?: ProtocolError): void {
    this.#receiver?.closed(error);
  }
}

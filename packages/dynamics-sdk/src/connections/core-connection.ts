import {
  type AppActivationRecord,
  drive,
  type FrameReceiver,
  handshakeStream,
  isProtocolError,
  keySchedule,
  type Machine,
  ProtocolError,
  type SecretBytes,
  type StreamLink,
  secret,
  wipe,
} from '@uemkit/protocol';
import { connectThroughNoc, type LinkConnection, type LinkReceiver, type NocLinkOptions } from './noc-link.ts';

const NO_STORE = { commit: async () => {} };

/** What a machine needs for `px` with UEM itself. */
export interface CoreKeys {
  readonly sessionKeyId: Uint8Array;
  /** K_px for the core id; wiped once the machine is made. */
  readonly psk: SecretBytes<'psk'>;
  readonly prologue: keySchedule.ProxyPrologue;
}

export interface CoreRun<Request, Result, Output> {
  /** The NOC has made the connection: UEM sees it from now on. */
  connected?(): void;
  make(keys: CoreKeys): Machine<Request, Result, never, Output>;
  request(request: Request): Promise<Result>;
  /** What this app is in traces, and the steps of what UEM sends behind its first frame, its second, … ; the last one stands for all that follow. */
  readonly trace: { readonly actor: 'app' | 'sibling'; readonly answers: readonly string[] };
}

/**
 * One run of an activated app with UEM, over a session of its own through the NOC (docs/protocol/12, 12.8).
 * @throws ProtocolError `ERR_USAGE_STATE` until the app is activated; `ERR_CONNECTION_*`, `ERR_PEER_*`, `ERR_REJECTED_*`, `ERR_CRYPTO_*`
 */
export async function withCore<Request, Result, Output>(
  ports: Omit<NocLinkOptions, 'linkId' | 'masterLinkKey'>,
  activated: AppActivationRecord | undefined,
  signal: AbortSignal,
  run: CoreRun<Request, Result, Output>,
): Promise<Output> {
  const { crypto, clock, trace } = ports;
  const { link, data, instanceId } = activated ?? {};
  if (link === undefined || data === undefined || instanceId === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated yet');
  const { linkId, masterLinkKey, tenantId, coreId } = link;
  const stream = new CoreStream();
  const connection = await connectThroughNoc({ ...ports, linkId, masterLinkKey }, { to: 'proxy', proxyId: coreId }, stream, signal);
  stream.connection = connection;
  run.connected?.();
  const masterSessionKey = secret<'master-session'>(data.masterSessionKey.slice());
  const psk = keySchedule.proxyPsk(crypto, masterSessionKey, coreId);
  const { sessionKeyId, coreKeyExchangeKey: keyExchangeKey } = data;
  const machine = run.make({ sessionKeyId, psk, prologue: { tenantId, proxyId: coreId, instanceId, keyExchangeKey } });
  wipe(masterSessionKey, psk);
  const { actor, answers } = run.trace;
  let sent = 0;
  try {
    const driven = drive(machine, {
      ...{ clock, store: NO_STORE, link: stream, signal },
      request: (request) => run.request(request),
      onFrame(direction, frame, step) {
        const isSent = direction === 'sent';
        if (isSent) sent += 1;
        const at = step ?? (answers[Math.min(sent, answers.length) - 1] as string);
        trace?.({ step: at, from: isSent ? actor : 'uem', to: isSent ? 'uem' : actor, frame, timeMs: clock.nowMs() });
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

  /** What is asked is short: it does not wait for room. */
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

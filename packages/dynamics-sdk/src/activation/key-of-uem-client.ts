import {
  type AppActivationRecord,
  type Clock,
  type CryptoProvider,
  clientOfCertificates,
  drive,
  type Entropy,
  isProtocolError,
  keyHandOverInitiator,
  ProtocolError,
  type Store,
  type TraceSink,
} from '@uemkit/protocol';
import { peekFrameName } from '@uemkit/protocol/wire';
import type { UemClientLink } from './uem-client-link.ts';

export interface KeyOfUemClientRun {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** Seals what it keeps. */
  readonly store: Pick<Store, 'commit'>;
  readonly uemClient: UemClientLink;
  readonly appId: string;
  /** Durable. */
  readonly instanceId: Uint8Array;
  readonly trace?: TraceSink | undefined;
  readonly signal: AbortSignal;
}

/**
 * Asks the UEM Client for an access key (F3.3 to F3.6). It is trusted on first use, as the app has no roots yet; its device is compared with the provisioning data.
 * @returns the activation that it begins, saved
 * @throws ProtocolError with its step; `ERR_REJECTED_BUSY` when UEM cannot be reached now
 */
export async function askUemClient(run: KeyOfUemClientRun): Promise<AppActivationRecord> {
  const { crypto, entropy, clock, store, uemClient, appId, instanceId, signal } = run;
  const { app, uemClient: client } = uemClient.platformIds;
  const machine = keyHandOverInitiator({
    crypto,
    entropy,
    peers: { initiatorPlatformId: app, responderPlatformId: client },
    channel: { name: 'ipc', identifyClient: (certificates) => clientOfCertificates(crypto, certificates) },
    appId,
    instanceId,
  });
  let answerStep = 'F3.3';
  const link = await uemClient.connect(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw isProtocolError(error) ? error.at('F3.3') : error;
  });
  try {
    const driven = drive(machine, {
      clock,
      store,
      link,
      request: () => Promise.reject(new ProtocolError('ERR_INTERNAL', 'the hand-over of a key asks for nothing')),
      onFrame(direction, frame, step) {
        const isSent = direction === 'sent';
        // What comes behind M3 is the key, or a refusal of it.
        if (isSent && peekFrameName(frame) === 'handshakeFinish') answerStep = 'F3.6';
        run.trace?.({ step: step ?? answerStep, from: isSent ? 'app' : 'uem-client', to: isSent ? 'uem-client' : 'app', frame, timeMs: clock.nowMs() });
      },
      signal,
    });
    return (await driven.ended).record;
  } finally {
    link.close();
  }
}

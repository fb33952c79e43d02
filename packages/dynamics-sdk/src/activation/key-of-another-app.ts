import {
  type AppActivationRecord,
  type Clock,
  type CryptoProvider,
  drive,
  type Entropy,
  isProtocolError,
  type KeyHandOverInitiatorOptions,
  keyHandOverInitiator,
  ProtocolError,
  type Store,
  type TraceSink,
} from '@uemkit/protocol';
import { peekFrameName } from '@uemkit/protocol/wire';
import type { AppLink } from './uem-client-link.ts';

/** The app that wants to be activated. */
export interface KeyRun {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** Seals what it keeps. */
  readonly store: Pick<Store, 'commit'>;
  readonly appId: string;
  /** Durable. */
  readonly instanceId: Uint8Array;
  readonly trace?: TraceSink | undefined;
  readonly signal: AbortSignal;
}

/** Who is asked, and how. */
export interface KeyGiver extends Pick<KeyHandOverInitiatorOptions, 'channel' | 'peers'> {
  /** Its name in traces. */
  readonly name: 'uem-client' | 'sibling';
  /** Step of a failure to connect, and of what comes before the channel stands. */
  readonly step: 'F3.3' | 'F3.4';
  connect(signal: AbortSignal): Promise<AppLink>;
  /** The channel stands: what fails from now on is the word of the other app. */
  established?(): void;
}

/**
 * Asks another app of this device for an access key (F3.3 to F3.6).
 * @returns the activation that it begins, saved
 * @throws ProtocolError with its step; `ERR_REJECTED_BUSY` when UEM cannot be reached now
 */
export async function askForKey(run: KeyRun, giver: KeyGiver): Promise<AppActivationRecord> {
  const { crypto, entropy, clock, store, appId, instanceId, signal } = run;
  const { name, channel, peers } = giver;
  const machine = keyHandOverInitiator({ crypto, entropy, peers, channel, appId, instanceId });
  let answerStep: string = giver.step;
  const link = await giver.connect(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw isProtocolError(error) ? error.at(giver.step) : error;
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
        if (isSent && peekFrameName(frame) === 'handshakeFinish') {
          answerStep = 'F3.6';
          giver.established?.();
        }
        run.trace?.({ step: step ?? answerStep, from: isSent ? 'app' : name, to: isSent ? name : 'app', frame, timeMs: clock.nowMs() });
      },
      signal,
    });
    return (await driven.ended).record;
  } finally {
    link.close();
  }
}

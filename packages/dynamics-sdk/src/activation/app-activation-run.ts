import {
  type AppActivationOutput,
  type AppActivationRecord,
  type AppActivationRequest,
  type AppActivationRequestResult,
  appActivationInitiator,
  type Clock,
  type CryptoProvider,
  drive,
  type Entropy,
  isProtocolError,
  ProtocolError,
  type Store,
  type TraceSink,
} from '@uemkit/protocol';
import { peekFrameName } from '@uemkit/protocol/wire';
import { openNocLink } from '../noc/noc-link.ts';
import type { NocTransport, NocTrust } from '../noc/noc-transport.ts';

/** Who hands an app out, shown to the user before anything is set up (docs/protocol/04-access-key.md, 4.7). */
export interface ActivationReview {
  readonly userId: string;
  readonly tenantId: string;
  readonly coreId: string;
}

/** The two stages of an activation: at the NOC (F3.7, F3.8), and at UEM through the NOC (F3.9 to F3.11). */
export type ActivationStage = 'infrastructureActivation' | 'enterpriseActivation';

export interface AppActivationRun {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** Seals what it keeps. */
  readonly store: Pick<Store, 'commit'>;
  readonly transport: NocTransport;
  readonly noc: { readonly address: string; readonly trust: NocTrust };
  readonly app: { readonly appVersion: string; readonly platform: string };
  readonly record: AppActivationRecord;
  /** False: the user does not want this organisation. */
  review?: ((facts: ActivationReview) => Promise<boolean>) | undefined;
  stage(stage: ActivationStage): void;
  readonly trace?: TraceSink | undefined;
  readonly signal: AbortSignal;
}

/** Step of the answer to a frame, whatever it is. */
const ANSWER_STEPS: Readonly<Record<string, string>> = { nocVerify: 'F3.8', handshakeStart: 'F3.10' };

/**
 * One run of the activation of an app from where its record stands, over one connection to the NOC (F3.7 to F3.11).
 * @throws ProtocolError with its step; what was saved stays, and the next run goes on from there. `ERR_PEER_OTHER_DEVICE`: the data is for another device, wipe the app.
 */
export async function runAppActivation(run: AppActivationRun): Promise<AppActivationOutput> {
  const { crypto, entropy, clock, store, record, app, noc, signal } = run;
  let stage: ActivationStage | undefined;
  let answerStep = 'F3.8';
  const enter = (next: ActivationStage): void => {
    if (stage !== next) run.stage(next);
    stage = next;
  };
  const machine = appActivationInitiator({ crypto, entropy, app, record });
  enter(record.phase === 'started' ? 'infrastructureActivation' : 'enterpriseActivation');
  const link = await openNocLink(run.transport, { ...noc, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw isProtocolError(error) ? error.at(record.phase === 'started' ? 'F3.7' : 'F3.9') : error;
  });
  try {
    const driven = drive(machine, {
      clock,
      store,
      link,
      request: (request) => answer(run, request),
      onFrame(direction, frame, step) {
        const isSent = direction === 'sent';
        if (isSent) {
          const name = peekFrameName(frame) ?? '';
          answerStep = ANSWER_STEPS[name] ?? 'F3.11';
          enter(name === 'nocVerify' ? 'infrastructureActivation' : 'enterpriseActivation');
        }
        run.trace?.({ step: step ?? answerStep, from: isSent ? 'app' : 'noc', to: isSent ? 'noc' : 'app', frame, timeMs: clock.nowMs() });
      },
      signal,
    });
    return await driven.ended;
  } finally {
    link.close();
  }
}

async function answer({ crypto, review }: AppActivationRun, request: AppActivationRequest): Promise<AppActivationRequestResult> {
  if (request.type === 'stretch') {
    const { password, salt, cost, lengthBytes } = request.stretch;
    return { type: 'stretched', bytes: await crypto.scrypt(password, salt, cost, lengthBytes) };
  }
  const { userId, tenantId, coreId } = request;
  if (review !== undefined && !(await review({ userId, tenantId, coreId }))) {
    throw new ProtocolError('ERR_DEVICE_CONSENT', 'the user does not want to activate the app for this organisation');
  }
  return { type: 'reviewed' };
}

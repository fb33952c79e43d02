import {
  type AppActivationCoreRequest,
  type AppActivationCoreResult,
  type AppActivationResponder,
  type CancelTimer,
  type Clock,
  type Input,
  isProtocolError,
  ProtocolError,
  type SetUpEnvelope,
  toHex,
  wipe,
} from '@uemkit/protocol';
import type { LabStore } from '../../store/lab-store.ts';
import type { ProvisionedApp, SetUpKeys } from './set-up-keys.ts';

export interface SetUpSessionOptions {
  readonly clock: Clock;
  readonly store: LabStore;
  readonly keys: SetUpKeys;
  readonly envelope: SetUpEnvelope;
  readonly machine: AppActivationResponder;
  /** M2 goes out under this id (hex). */
  replied(sessionId: string): void;
  /** A message about the key is in the outbox to the NOC. */
  tell(): void;
  /** The session has ended; its secrets are wiped. */
  ended(): void;
}

/** What one frame led to. */
export interface SessionAnswer {
  /** Absent: the machine has nothing to say. */
  readonly frame?: Uint8Array | undefined;
  readonly userId?: string | undefined;
  /** Why the run ended; the app is told less. */
  readonly reason?: string | undefined;
}

/** One session of `sc` between two requests of the NOC: the machine, and what it asks of the state (F3.10, F3.11). */
export interface SetUpSession {
  /** Takes frames in turn. @throws ProtocolError `ERR_STORE_WRITE`, `ERR_REJECTED_BUSY`: nothing was changed, and the session goes on */
  receive(frame: Uint8Array): Promise<SessionAnswer>;
  /** Gives the session up. */
  close(): void;
}

export function setUpSession(options: SetUpSessionOptions): SetUpSession {
  const { clock, store, keys, envelope, machine, tell } = options;
  const timers = new Map<string, CancelTimer>();
  let psk: Uint8Array | undefined;
  let userId: string | undefined;
  let app: ProvisionedApp | undefined;
  let refused: string | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const end = (): void => {
    for (const cancel of timers.values()) cancel();
    timers.clear();
    wipe(psk, app?.data.masterSessionKey);
    options.ended();
  };

  const close = (): void => {
    machine.handle({ type: 'closed' }, clock.nowMs());
    end();
  };

  /** The answer of the state to what the machine asks; durable before it is given. */
  const ask = async (request: AppActivationCoreRequest): Promise<Input<AppActivationCoreResult>> => {
    const nowMs = clock.nowMs();
    switch (request.type) {
      case 'identify': {
        const facts = await store.transaction((tx) => keys.identify(tx, envelope, nowMs));
        if ('refused' in facts) {
          refused = facts.refused;
          return { type: 'result', result: { type: 'identified' } };
        }
        psk = facts.psk;
        userId = facts.userId;
        return { type: 'result', result: { type: 'identified', key: facts } };
      }
      case 'provision': {
        const made = await store.transaction((tx) => keys.provision(tx, envelope, request.request, nowMs));
        if ('refused' in made) {
          refused = made.refused;
          return { type: 'failed', error: made.error };
        }
        app = made;
        return { type: 'result', result: { type: 'provisioned', data: made.data } };
      }
      case 'consume': {
        if (app === undefined) throw new ProtocolError('ERR_INTERNAL', 'an app confirms what it was not given');
        const { sessionId, acknowledgement, done } = request;
        const session = { sessionId, acknowledgement, done, app };
        const failed = await store.transaction((tx) => keys.consume(tx, envelope, session, nowMs));
        if (failed !== undefined) {
          refused = failed.refused;
          return { type: 'failed', error: failed.error };
        }
        tell();
        return { type: 'result', result: { type: 'consumed' } };
      }
    }
  };

  const asked = async (request: AppActivationCoreRequest): Promise<Input<AppActivationCoreResult>> => {
    try {
      return await ask(request);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      // Nothing was stored: the app hears that UEM is busy, and comes again.
      return { type: 'failed', error: new ProtocolError('ERR_REJECTED_BUSY', `${error.code} ${error.message}`) };
    }
  };

  const feed = async (input: Input<AppActivationCoreResult>): Promise<SessionAnswer> => {
    try {
      return await run(input);
    } catch (error) {
      // What the machine wanted next is lost with this error: the app begins again.
      close();
      throw error;
    }
  };

  const run = async (first: Input<AppActivationCoreResult>): Promise<SessionAnswer> => {
    let frame: Uint8Array | undefined;
    let reason: string | undefined;
    const inputs = [first];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of machine.handle(input, clock.nowMs())) {
        switch (effect.type) {
          case 'send':
            frame = effect.frame;
            break;
          case 'request':
            inputs.push(await asked(effect.request));
            break;
          case 'emit':
            if (effect.event.type === 'replied') options.replied(toHex(effect.event.sessionId));
            else {
              await store.transaction((tx) => keys.proofFailed(tx, envelope, clock.nowMs()));
              tell();
            }
            break;
          case 'arm-timer':
            timers.get(effect.timer)?.();
            timers.set(
              effect.timer,
              clock.setTimer(effect.afterMs, () => {
                void inTurn(() => feed({ type: 'timer', timer: effect.timer })).catch(() => {});
              }),
            );
            break;
          case 'cancel-timer':
            timers.get(effect.timer)?.();
            timers.delete(effect.timer);
            break;
          case 'fail':
            reason = refused ?? `${effect.error.code} ${effect.error.message}`;
            end();
            break;
          case 'done':
            end();
            break;
          case 'persist':
            break;
        }
      }
    }
    return { frame, userId, reason };
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work, work);
    turn = mine.catch(() => {});
    return mine;
  };

  return {
    receive: (frame) => inTurn(() => feed({ type: 'received', frame })),
    close,
  };
}

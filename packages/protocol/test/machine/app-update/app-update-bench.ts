import {
  type AppUpdateApplied,
  type AppUpdateInitiator,
  type AppUpdateInitiatorOptions,
  type AppUpdateOutput,
  type AppUpdateToApply,
  appUpdateInitiator,
  type CoreOutput,
  type CoreRequest,
  type CoreResponder,
  type CoreResponderOptions,
  type CoreResult,
  coreResponder,
  type Effect,
  type HandshakePeer,
  type Input,
  type ProtocolError,
} from '../../../src/index.ts';
import type * as wire from '../../../src/wire/index.ts';
import * as forward from '../key-forward/key-forward-bench.ts';

export const { NOW_MS } = forward;
export const UNLOCK_KEY = '0123456789ABCDE';
const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** Before the update. */
export const HELD: wire.AppReport = { configuration: hash(1), policies: [{ name: 'dynamics', hash: hash(2) }], proxies: hash(3), state: 'authorized' };
/** Behind it. */
export const REACHED: wire.AppReport = { ...HELD, policies: [{ name: 'dynamics', hash: hash(5) }], console: hash(6), state: 'locked' };
export const REQUEST: wire.AppUpdateRequest = { appVersion: '1.0.0.0', report: HELD };
export const UPDATE: wire.AppUpdate = {
  policies: { dynamics: { idleLockMinutes: 5 } },
  endedPolicies: [],
  console: { blocks: [], unlockKey: { id: new Uint8Array(16).fill(9), key: UNLOCK_KEY }, lockId: new Uint8Array(16).fill(8), wipe: false },
  more: false,
};

export function initiatorOptions(side: forward.SideOptions = {}): AppUpdateInitiatorOptions {
  const { request: _request, ...options } = forward.initiatorOptions(side);
  return { ...options, request: REQUEST };
}

export function responderOptions(side: forward.SideOptions = {}): CoreResponderOptions {
  return forward.responderOptions(side);
}

type AnyRequest = CoreRequest | AppUpdateToApply;
type AnyEffect = Effect<AnyRequest, never, AppUpdateOutput | CoreOutput>;

class Side<Request extends AnyRequest, Output extends AppUpdateOutput | CoreOutput> {
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: AnyEffect[] = [];
  readonly requests: Request[] = [];
  readonly timers = new Map<string, number>();
  output: Output | undefined;
  failure: ProtocolError | undefined;
  nowMs = NOW_MS;
  /** Leaves requests to the test. */
  manual = false;

  protected run(effects: readonly AnyEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === 'send') this.sent.push(effect);
      else if (effect.type === 'arm-timer') this.timers.set(effect.timer, effect.afterMs);
      else if (effect.type === 'cancel-timer') this.timers.delete(effect.timer);
      else if (effect.type === 'request') this.requests.push(effect.request as Request);
      else if (effect.type === 'done') this.output = effect.output as Output;
      else if (effect.type === 'fail') this.failure = effect.error;
    }
  }

  get error(): ProtocolError {
    if (this.failure === undefined) throw new Error('the side has not failed');
    return this.failure;
  }

  get steps(): readonly string[] {
    return this.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []));
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return sent.frame;
  }
}

/** The app, with an owner that carries everything out. */
export class AppSide extends Side<AppUpdateToApply, AppUpdateOutput> {
  readonly machine: AppUpdateInitiator;
  readonly applied: wire.AppUpdate[] = [];
  refusal: ProtocolError | undefined;

  constructor(options: AppUpdateInitiatorOptions) {
    super();
    this.machine = appUpdateInitiator(options);
  }

  input(input: Input<AppUpdateApplied>): this {
    this.run(this.machine.handle(input, this.nowMs));
    while (!this.manual && this.requests.length > 0) this.answerRequest();
    return this;
  }

  start(): this {
    return this.input({ type: 'start' });
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  answerRequest(): this {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('nothing was asked');
    if (this.refusal !== undefined) return this.input({ type: 'failed', error: this.refusal });
    this.applied.push(request.update);
    return this.input({ type: 'result', result: { type: 'applied', report: REACHED } });
  }
}

/** UEM, with an owner that knows everybody. */
export class CoreSide extends Side<CoreRequest, CoreOutput> {
  readonly machine: CoreResponder;
  peer: HandshakePeer | undefined = forward.peerOfSibling();
  update: wire.AppUpdate = UPDATE;
  refusal: { readonly of: CoreRequest['type']; readonly error: ProtocolError } | undefined;
  readonly asked: wire.AppUpdateRequest[] = [];
  readonly noted: wire.AppReport[] = [];

  constructor(options: CoreResponderOptions) {
    super();
    this.machine = coreResponder(options);
    this.input({ type: 'start' });
  }

  input(input: Input<CoreResult>): this {
    this.run(this.machine.handle(input, this.nowMs));
    while (!this.manual && this.requests.length > 0) this.answerRequest();
    return this;
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  answerRequest(): this {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('nothing was asked');
    if (this.refusal?.of === request.type) return this.input({ type: 'failed', error: this.refusal.error });
    switch (request.type) {
      case 'identify':
        return this.input({ type: 'result', result: { type: 'identified', peer: this.peer } });
      case 'compare':
        this.asked.push(request.request);
        return this.input({ type: 'result', result: { type: 'compared', update: this.update } });
      case 'note':
        this.noted.push(request.report);
        return this.input({ type: 'result', result: { type: 'noted' } });
      default:
        throw new Error('nobody asks for a key here');
    }
  }
}

export interface Sides {
  readonly app: AppSide;
  readonly core: CoreSide;
}

/** Both sides, the app started. */
export function pair({ seed = '', onTransition }: forward.SideOptions = {}): Sides {
  return {
    app: new AppSide(initiatorOptions({ seed: `app${seed}`, onTransition })).start(),
    core: new CoreSide(responderOptions({ seed: `core${seed}`, onTransition })),
  };
}

/** Lets both sides talk until neither has anything to say, or `count` frames long. Returns all that went over the wire. */
export function converse({ app, core }: Sides, count = 20): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (frames.length < count && app.sent.length + core.sent.length > 0) {
    const [from, to] = app.sent.length > 0 ? [app, core] : [core, app];
    const frame = from.take();
    frames.push(frame);
    to.receive(frame);
  }
  return frames;
}

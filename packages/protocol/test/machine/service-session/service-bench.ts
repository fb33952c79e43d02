import {
  type CryptoProvider,
  type Effect,
  type Entropy,
  type HandshakePeer,
  type Input,
  type ProtocolError,
  type ServiceAnswer,
  type ServiceCall,
  type ServiceDone,
  type ServiceInitiatorOptions,
  type ServiceToDo,
  secret,
  serviceInitiator,
  serviceResponder,
  type TransitionListener,
} from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
const crypto = nodeCrypto();
export const PROLOGUE = {
  initiatorPlatformId: `android:com.example.mail:${'ab'.repeat(32)}`,
  responderPlatformId: `android:com.example.print:${'ab'.repeat(32)}`,
  tenantId: 'tenant-1',
  instanceId: new Uint8Array(16).fill(1),
  responderInstanceId: new Uint8Array(16).fill(2),
} as const;

export const pskOf = (fill = 7) => secret<'psk'>(new Uint8Array(32).fill(fill));
export const CALL: ServiceCall = {
  serviceId: 'com.example.print',
  version: '1.0.0.0',
  method: 'print',
  params: '{"copies":2}',
  attachments: [],
  foreground: 'PreferPeerInForeground',
};
export const REPLY: ServiceAnswer = { type: 'reply', content: { params: '{"pages":4}', attachments: [], foreground: 'PreferMeInForeground' } };
export const file = (name: string, length: number) => ({ name, bytes: Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff) });

export interface SideOptions {
  readonly crypto?: CryptoProvider;
  readonly entropy?: Entropy;
  readonly onTransition?: TransitionListener | undefined;
}

export function initiatorOptions(more: Partial<ServiceInitiatorOptions> = {}): ServiceInitiatorOptions {
  return { crypto, entropy: seededEntropy('asking'), prologue: PROLOGUE, psk: pskOf(), call: CALL, ...more };
}

type AnyEffect = Effect<ServiceToDo, never, ServiceAnswer | ServiceCall>;
interface AnyMachine {
  readonly state: string;
  handle(input: Input<ServiceDone>, nowMs: number): readonly AnyEffect[];
}

/** One app with a log. */
export class Side {
  readonly machine: AnyMachine;
  readonly sent: Uint8Array[] = [];
  readonly steps: string[] = [];
  readonly requests: ServiceToDo[] = [];
  readonly timers = new Map<string, number>();
  output: ServiceAnswer | ServiceCall | undefined;
  failure: ProtocolError | undefined;
  nowMs = NOW_MS;

  constructor(machine: AnyMachine) {
    this.machine = machine;
  }

  input(input: Input<ServiceDone>): this {
    for (const effect of this.machine.handle(input, this.nowMs)) {
      if (effect.type === 'send') {
        this.sent.push(effect.frame);
        this.steps.push(effect.step);
      } else if (effect.type === 'arm-timer') this.timers.set(effect.timer, effect.afterMs);
      else if (effect.type === 'cancel-timer') this.timers.delete(effect.timer);
      else if (effect.type === 'request') this.requests.push(effect.request);
      else if (effect.type === 'done') this.output = effect.output;
      else if (effect.type === 'fail') this.failure = effect.error;
    }
    return this;
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return sent;
  }

  get error(): ProtocolError {
    if (this.failure === undefined) throw new Error(`not failed but ${this.machine.state}`);
    return this.failure;
  }
}

export interface PairOptions {
  readonly asking?: Partial<ServiceInitiatorOptions>;
  readonly offering?: SideOptions;
  /** Of M1, as the app that offers knows it; undefined: unknown. */
  readonly peer?: HandshakePeer | undefined;
  readonly answer?: ServiceAnswer | ProtocolError;
}

export const PEER = (fill = 7): HandshakePeer => ({ binding: { name: 'svc', prologue: PROLOGUE }, psk: pskOf(fill) });

/** Both apps, both started. */
export function pair({ asking, offering }: PairOptions = {}): { readonly asking: Side; readonly offering: Side } {
  const app = new Side(serviceInitiator(initiatorOptions(asking)) as AnyMachine);
  const other = new Side(serviceResponder({ crypto, entropy: seededEntropy('offering'), ...offering }));
  return { asking: app.input({ type: 'start' }), offering: other.input({ type: 'start' }) };
}

/** Answers what the offering app asks of its owner. */
export function attend(side: Side, options: PairOptions = {}): void {
  for (const request of side.requests.splice(0)) {
    if (request.type === 'identify') {
      side.input({ type: 'result', result: { type: 'identified', peer: 'peer' in options ? options.peer : PEER() } });
      continue;
    }
    const { answer = REPLY } = options;
    if (answer instanceof Error) side.input({ type: 'failed', error: answer });
    else side.input({ type: 'result', result: { type: 'served', answer } });
  }
}

/** Carries everything both ways until nobody says more; `limit` frames at most. */
export function converse(both: { readonly asking: Side; readonly offering: Side }, options: PairOptions = {}, limit = Number.POSITIVE_INFINITY): void {
  let left = limit;
  for (let moved = true; moved && left > 0; ) {
    moved = false;
    for (const [from, to] of [
      [both.asking, both.offering],
      [both.offering, both.asking],
    ] as const)
      while (from.sent.length > 0 && left-- > 0) {
        to.receive(from.take());
        attend(both.offering, options);
        moved = true;
      }
  }
}

import {
  type CoreOutput,
  type CoreRequest,
  type CoreResponder,
  type CoreResponderOptions,
  type CoreResult,
  type CryptoProvider,
  coreResponder,
  type Effect,
  type HandshakeInitiator,
  type HandshakePeer,
  type HandshakeRequestResult,
  type HandshakeResponder,
  type HandshakeSession,
  handshakeInitiator,
  handshakeResponder,
  type Input,
  type KeyForwardInitiator,
  type KeyForwardInitiatorOptions,
  keyForwardInitiator,
  type ProtocolError,
  secret,
  type TransitionListener,
} from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import type * as wire from '../../../src/wire/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
export const crypto = nodeCrypto();
export const ACCESS_KEY = '0123456789ABCDE';
export const KEY_ID = new Uint8Array(16).fill(0x33);
const STATIC_SCALAR = new Uint8Array(32).fill(0x21);
/** Of the sibling. */
const INSTANCE_ID = new Uint8Array(16).fill(0x22);
const SESSION_KEY_ID = new Uint8Array(16).fill(0x44);
const PROLOGUE = { tenantId: 'tenant', proxyId: 'core', instanceId: INSTANCE_ID, keyExchangeKey: crypto.p256PublicKey(STATIC_SCALAR) };

/** What the new app has asked for. */
export const REQUEST: wire.AccessKeyForward = {
  appId: 'com.example.chat',
  instanceId: new Uint8Array(16).fill(0x11),
  nonce: new Uint8Array(32).fill(0x55),
  platformId: 'android:com.example.chat:00',
};

export const psk = (): ReturnType<typeof secret<'psk'>> => secret<'psk'>(new Uint8Array(32).fill(7));

export interface SideOptions {
  readonly seed?: string;
  readonly crypto?: CryptoProvider;
  readonly onTransition?: TransitionListener | undefined;
}

export function initiatorOptions({ seed = 'sibling', crypto: provider = crypto, onTransition }: SideOptions = {}): KeyForwardInitiatorOptions {
  return { crypto: provider, entropy: seededEntropy(seed), prologue: PROLOGUE, sessionKeyId: SESSION_KEY_ID, psk: psk(), request: REQUEST, onTransition };
}

export function responderOptions({ seed = 'core', crypto: provider = crypto, onTransition }: SideOptions = {}): CoreResponderOptions {
  return { crypto: provider, entropy: seededEntropy(seed), onTransition };
}

export function peerOfSibling(): HandshakePeer {
  return { binding: { name: 'px', prologue: PROLOGUE }, psk: psk(), staticScalar: secret<'static-scalar'>(STATIC_SCALAR.slice()) };
}

export function responseTo({ nonce }: Pick<wire.AccessKeyForward, 'nonce'>): wire.AccessKeyResponse {
  return { accessKey: ACCESS_KEY, keyId: KEY_ID, nonce, expiryEpochS: NOW_MS / 1000 + 600, userId: 'alice@example.com' };
}

type AnyEffect = Effect<CoreRequest, never, wire.AccessKeyResponse | CoreOutput>;

class Side<Output extends wire.AccessKeyResponse | CoreOutput> {
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: AnyEffect[] = [];
  readonly requests: CoreRequest[] = [];
  readonly timers = new Map<string, number>();
  output: Output | undefined;
  failure: ProtocolError | undefined;
  nowMs = NOW_MS;

  protected run(effects: readonly AnyEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === 'send') this.sent.push(effect);
      else if (effect.type === 'arm-timer') this.timers.set(effect.timer, effect.afterMs);
      else if (effect.type === 'cancel-timer') this.timers.delete(effect.timer);
      else if (effect.type === 'request') this.requests.push(effect.request);
      else if (effect.type === 'done') this.output = effect.output as Output;
      else if (effect.type === 'fail') this.failure = effect.error;
    }
  }

  get error(): ProtocolError {
    if (this.failure === undefined) throw new Error('the side has not failed');
    return this.failure;
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return sent.frame;
  }
}

/** The app that is activated already. */
export class SiblingSide extends Side<wire.AccessKeyResponse> {
  readonly machine: KeyForwardInitiator;

  constructor(options: KeyForwardInitiatorOptions) {
    super();
    this.machine = keyForwardInitiator(options);
  }

  input(input: Input<never>): this {
    this.run(this.machine.handle(input, this.nowMs));
    return this;
  }

  start(): this {
    return this.input({ type: 'start' });
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }
}

/** UEM, with an owner that has a key for everybody. */
export class CoreSide extends Side<CoreOutput> {
  readonly machine: CoreResponder;
  peer: HandshakePeer | undefined = peerOfSibling();
  refusal: ProtocolError | undefined;
  /** Leaves requests to the test. */
  manual = false;
  readonly grants: wire.AccessKeyForward[] = [];

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

  /** Answers the oldest request. */
  answerRequest(): this {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('nothing was asked');
    if (request.type === 'identify') return this.input({ type: 'result', result: { type: 'identified', peer: this.peer } });
    if (this.refusal !== undefined) return this.input({ type: 'failed', error: this.refusal });
    if (request.type !== 'grant') throw new Error('nobody asks for anything else here');
    this.grants.push(request.request);
    return this.input({ type: 'result', result: { type: 'granted', response: responseTo(request.request) } });
  }
}

export interface Sides {
  readonly sibling: SiblingSide;
  readonly core: CoreSide;
}

/** Both sides, the sibling started. */
export function pair({ seed = '', onTransition }: SideOptions = {}): Sides {
  return {
    sibling: new SiblingSide(initiatorOptions({ seed: `sibling${seed}`, onTransition })).start(),
    core: new CoreSide(responderOptions({ seed: `core${seed}`, onTransition })),
  };
}

/** Lets both sides talk until neither has anything to say, or `count` frames long. Returns all that went over the wire. */
export function converse({ sibling, core }: Sides, count = 10): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (frames.length < count && sibling.sent.length + core.sent.length > 0) {
    const [from, to] = sibling.sent.length > 0 ? [sibling, core] : [core, sibling];
    const frame = from.take();
    frames.push(frame);
    to.receive(frame);
  }
  return frames;
}

/** A side of any run over `px` with UEM. */
interface Talks {
  receive(frame: Uint8Array): unknown;
  take(): Uint8Array;
}

/** One end of `px` that says in its records whatever the test wants. */
export class Liar {
  private readonly machine: HandshakeInitiator | HandshakeResponder;
  private session: HandshakeSession | undefined;

  private constructor(machine: HandshakeInitiator | HandshakeResponder) {
    this.machine = machine;
  }

  /** Has a session with UEM. */
  static towards(core: Talks): Liar {
    const { prologue, sessionKeyId: pskId } = initiatorOptions();
    const { instanceId, keyExchangeKey: responderStaticKey } = prologue;
    const binding = { name: 'px', prologue } as const;
    const liar = new Liar(
      handshakeInitiator({ crypto, entropy: seededEntropy('liar'), binding, start: { pskId, instanceId }, psk: psk(), responderStaticKey }),
    );
    core.receive(liar.hears()[0] as Uint8Array);
    core.receive(liar.hears(core.take())[0] as Uint8Array);
    return liar;
  }

  /** Has a session with a sibling, whose 0x51 is still on its way. */
  static asCore(sibling: Talks): Liar {
    const liar = new Liar(handshakeResponder({ crypto, entropy: seededEntropy('liar'), name: 'px' }));
    sibling.receive(liar.hears(sibling.take())[0] as Uint8Array);
    liar.hears(sibling.take());
    return liar;
  }

  private hears(frame?: Uint8Array): readonly Uint8Array[] {
    const machine = this.machine as HandshakeResponder;
    const sent: Uint8Array[] = [];
    const inputs: Input<HandshakeRequestResult>[] = [frame === undefined ? { type: 'start' } : { type: 'received', frame }];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of machine.handle(input, NOW_MS)) {
        if (effect.type === 'send') sent.push(effect.frame);
        else if (effect.type === 'done') this.session = effect.output;
        else if (effect.type === 'request') inputs.push({ type: 'result', result: { type: 'identified', peer: peerOfSibling() } });
      }
    }
    return sent;
  }

  get records() {
    const records = this.session?.records;
    if (records?.kind !== 'gcm') throw new Error('there is no session');
    return records;
  }

  record(bytes: Uint8Array): Uint8Array {
    return this.records.sealer.sealData(bytes, NOW_MS);
  }
}

import {
  type Effect,
  type HandshakeBinding,
  type HandshakeEvent,
  type HandshakeInitiator,
  type HandshakeInitiatorOptions,
  type HandshakePeer,
  type HandshakeRequest,
  type HandshakeRequestResult,
  type HandshakeResponder,
  type HandshakeResponderOptions,
  type HandshakeSession,
  handshakeInitiator,
  handshakeResponder,
  type Input,
  ProtocolError,
  secret,
  type TransitionListener,
  utf8,
} from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import type * as wire from '../../../src/wire/index.ts';

export const crypto = nodeCrypto();
export const NAMES: readonly wire.HandshakeName[] = ['ipc', 'ipcd', 'sc', 'link', 'px', 'dc', 'svc'];
export const NOW_MS = Date.UTC(2026, 10, 23);
export const INSTANCE_ID = new Uint8Array(16).fill(1);
export const FINISH_CONTENT = utf8('provisioning request');

const STATIC_SCALAR = new Uint8Array(32).fill(0x21);
const IDENTITY_SCALAR = new Uint8Array(32).fill(0x31);
const LEAF = utf8('leaf certificate');
const binding32 = { kind: 'tls-exporter', value: new Uint8Array(32).fill(4) } as const;
const proxy = { tenantId: 'tenant', proxyId: 'proxy', instanceId: INSTANCE_ID, keyExchangeKey: crypto.p256PublicKey(STATIC_SCALAR) };
const local = { initiatorPlatformId: 'android:app:00', responderPlatformId: 'android:client:00' };

export const BINDINGS: { readonly [N in wire.HandshakeName]: Extract<HandshakeBinding, { readonly name: N }> } = {
  ipc: { name: 'ipc', prologue: local },
  ipcd: { name: 'ipcd', prologue: local },
  sc: { name: 'sc', prologue: { tenantId: 'tenant', coreId: 'core' } },
  link: { name: 'link', prologue: { binding: binding32, linkId: new Uint8Array(16).fill(2) } },
  px: { name: 'px', prologue: proxy },
  dc: { name: 'dc', prologue: { ...proxy, binding: binding32, serverKeyHash: new Uint8Array(32).fill(6) } },
  svc: { name: 'svc', prologue: { ...local, tenantId: 'tenant', instanceId: INSTANCE_ID, responderInstanceId: new Uint8Array(16).fill(8) } },
};

const STARTS: Readonly<Record<wire.HandshakeName, HandshakeInitiatorOptions['start']>> = {
  ipc: { appId: 'app', instanceId: INSTANCE_ID },
  ipcd: { appId: 'app', instanceId: INSTANCE_ID },
  sc: { pskId: new Uint8Array(72).fill(3), userId: 'alice@example.com' },
  link: { pskId: new Uint8Array(16).fill(2) },
  px: { pskId: new Uint8Array(16).fill(8), instanceId: INSTANCE_ID },
  dc: { pskId: new Uint8Array(16).fill(8), instanceId: INSTANCE_ID },
  svc: { pskId: new Uint8Array(16).fill(8), instanceId: INSTANCE_ID },
};

const withPsk = (name: wire.HandshakeName): boolean => name !== 'ipc' && name !== 'ipcd';
const withStatic = (name: wire.HandshakeName): boolean => name === 'px' || name === 'dc';

export function psk(byte = 7): ReturnType<typeof secret<'psk'>> {
  return secret<'psk'>(new Uint8Array(32).fill(byte));
}

export function initiatorOptions(name: wire.HandshakeName, seed = 'initiator'): HandshakeInitiatorOptions {
  return {
    crypto,
    entropy: seededEntropy(seed),
    binding: BINDINGS[name],
    start: STARTS[name],
    psk: withPsk(name) ? psk() : undefined,
    responderStaticKey: withStatic(name) ? proxy.keyExchangeKey : undefined,
    finishContent: name === 'sc' ? FINISH_CONTENT : undefined,
    ...(name === 'ipc'
      ? {
          identifyResponder: ([leaf]: readonly Uint8Array[]) => {
            if (leaf === undefined || leaf.join() !== LEAF.join()) throw new ProtocolError('ERR_CERTIFICATE_CHAIN', 'not the client');
            return crypto.p256PublicKey(IDENTITY_SCALAR);
          },
        }
      : {}),
  };
}

export function responderOptions(name: wire.HandshakeName, seed = 'responder'): HandshakeResponderOptions {
  return { crypto, entropy: seededEntropy(seed), name, certificates: name === 'ipc' ? [LEAF] : undefined };
}

export function peerOf(name: wire.HandshakeName): HandshakePeer {
  return { binding: BINDINGS[name], psk: withPsk(name) ? psk() : undefined, staticScalar: withStatic(name) ? secret(STATIC_SCALAR.slice()) : undefined };
}

type AnyEffect = Effect<HandshakeRequest, HandshakeEvent, HandshakeSession>;

/** One side of a handshake with a log. */
export class Side {
  readonly machine: HandshakeInitiator | HandshakeResponder;
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: AnyEffect[] = [];
  readonly events: HandshakeEvent[] = [];
  requests: HandshakeRequest[] = [];
  readonly timers = new Map<string, number>();
  session: HandshakeSession | undefined;
  failure: ProtocolError | undefined;
  /** Answers requests at once; undefined leaves them to the test. */
  peer: HandshakePeer | undefined | 'manual';
  nowMs = NOW_MS;

  constructor(machine: HandshakeInitiator | HandshakeResponder, peer?: HandshakePeer | 'manual') {
    this.machine = machine;
    this.peer = peer;
  }

  get error(): ProtocolError {
    if (this.failure === undefined) throw new Error('the handshake has not failed');
    return this.failure;
  }

  input(input: Input<HandshakeRequestResult>): this {
    const effects = (this.machine as HandshakeResponder).handle(input, this.nowMs);
    for (const effect of effects) {
      this.effects.push(effect);
      this.apply(effect);
    }
    return this;
  }

  private apply(effect: AnyEffect): void {
    if (effect.type === 'send') this.sent.push(effect);
    else if (effect.type === 'emit') this.events.push(effect.event);
    else if (effect.type === 'arm-timer') this.timers.set(effect.timer, effect.afterMs);
    else if (effect.type === 'cancel-timer') this.timers.delete(effect.timer);
    else if (effect.type === 'done') this.session = effect.output;
    else if (effect.type === 'fail') this.failure = effect.error;
    else if (effect.type === 'request' && this.peer === 'manual') this.requests.push(effect.request);
    else if (effect.type === 'request') this.input({ type: 'result', result: answer(effect.request, this.peer as HandshakePeer | undefined) });
  }

  start(): this {
    return this.input({ type: 'start' });
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return sent.frame;
  }
}

export function answer(request: HandshakeRequest, peer: HandshakePeer | undefined): HandshakeRequestResult {
  if (request.type === 'identify') return { type: 'identified', peer };
  return { type: 'signed', signature: crypto.p256Sign(IDENTITY_SCALAR, request.message) };
}

export interface PairOptions {
  readonly onTransition?: TransitionListener | undefined;
  readonly initiator?: Partial<HandshakeInitiatorOptions>;
  readonly responder?: Partial<HandshakeResponderOptions>;
  readonly peer?: HandshakePeer | undefined | 'manual';
  readonly seed?: string;
}

/** Both sides of one instance, the initiator started. */
export function pair(name: wire.HandshakeName, options: PairOptions = {}): { readonly app: Side; readonly server: Side } {
  const { onTransition, seed = '' } = options;
  const app = new Side(handshakeInitiator({ ...initiatorOptions(name, `initiator${seed}`), onTransition, ...options.initiator }));
  const machine = handshakeResponder({ ...responderOptions(name, `responder${seed}`), onTransition, ...options.responder });
  const server = new Side(machine, 'peer' in options ? options.peer : peerOf(name));
  return { app: app.start(), server };
}

/** Runs a handshake to its end. */
export function shake({ app, server }: { readonly app: Side; readonly server: Side }): { readonly app: HandshakeSession; readonly server: HandshakeSession } {
  server.receive(app.take());
  app.receive(server.take());
  server.receive(app.take());
  if (app.session === undefined || server.session === undefined) throw new Error('no session');
  return { app: app.session, server: server.session };
}

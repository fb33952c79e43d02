import {
  APP_ACTIVATION_KEY,
  type AppActivationRecord,
  type CryptoProvider,
  clientOfCertificates,
  type Effect,
  type HandedOver,
  type HandshakeInitiator,
  type HandshakePeer,
  type HandshakeRequestResult,
  type HandshakeResponder,
  type HandshakeSession,
  handshakeInitiator,
  handshakeResponder,
  type Input,
  type KeyHandOverInitiator,
  type KeyHandOverInitiatorOptions,
  type KeyHandOverOutput,
  type KeyHandOverRequest,
  type KeyHandOverResponder,
  type KeyHandOverResponderOptions,
  type KeyHandOverResult,
  keyHandOverInitiator,
  keyHandOverResponder,
  type ProtocolError,
  restoreAppActivation,
  secret,
  type TransitionListener,
  x509,
} from '../../../src/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
export const USER = 'alice@example.com';
export const APP_ID = 'com.example.mail';
export const INSTANCE_ID = new Uint8Array(16).fill(0x11);
export const KEY_ID = new Uint8Array(16).fill(0x33);
export const ACCESS_KEY = '0123456789ABCDE';
export const PEERS = { initiatorPlatformId: 'android:mail:00', responderPlatformId: 'android:client:00' };
export const CHANNELS = ['ipc', 'ipcd'] as const;
export type ChannelName = (typeof CHANNELS)[number];
export const crypto = nodeCrypto();

export const DEVICE_ID = '00000000-0000-4000-8000-000000000001';
const IDENTITY_SCALAR = secret<'identity'>(new Uint8Array(32).fill(0x31));
export const IDENTITY_KEY = crypto.p256PublicKey(IDENTITY_SCALAR);

/** A certificate for the device key; nobody checks who signed it. */
export function certificateOf(uris: readonly string[] = [x509.deviceUri(DEVICE_ID)]): Uint8Array {
  const info = x509.certificateInfo(crypto, {
    serial: new Uint8Array([1]),
    issuer: { commonName: 'tenant', publicKey: IDENTITY_KEY },
    commonName: DEVICE_ID,
    publicKey: IDENTITY_KEY,
    notBeforeMs: NOW_MS - 86_400_000,
    notAfterMs: NOW_MS + 86_400_000,
    purpose: { kind: 'leaf', usages: ['clientAuth'], uris, dnsNames: [], ipAddresses: [] },
  });
  return x509.certificate(info, crypto.p256Sign(IDENTITY_SCALAR, info));
}

export interface SideOptions {
  readonly seed?: string;
  readonly crypto?: CryptoProvider;
  readonly onTransition?: TransitionListener | undefined;
}

export function initiatorOptions(name: ChannelName, { seed = 'app', crypto: provider = crypto, onTransition }: SideOptions = {}): KeyHandOverInitiatorOptions {
  const channel =
    name === 'ipc'
      ? ({ name, identifyClient: (certificates) => clientOfCertificates(provider, certificates) } satisfies KeyHandOverInitiatorOptions['channel'])
      : { name };
  return { crypto: provider, entropy: seededEntropy(seed), peers: PEERS, channel, appId: APP_ID, instanceId: INSTANCE_ID, onTransition };
}

export function responderOptions(
  name: ChannelName,
  { seed = 'client', crypto: provider = crypto, onTransition }: SideOptions = {},
): KeyHandOverResponderOptions {
  const channel: KeyHandOverResponderOptions['channel'] = name === 'ipc' ? { name, certificates: [certificateOf()] } : { name };
  return { crypto: provider, entropy: seededEntropy(seed), peers: PEERS, channel, onTransition };
}

type AnyEffect = Effect<KeyHandOverRequest, never, KeyHandOverOutput | HandedOver>;

class Side<Output extends KeyHandOverOutput | HandedOver> {
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: AnyEffect[] = [];
  readonly requests: KeyHandOverRequest[] = [];
  readonly timers = new Map<string, number>();
  readonly store = new Map<string, Uint8Array>();
  output: Output | undefined;
  failure: ProtocolError | undefined;
  nowMs = NOW_MS;

  protected run(effects: readonly AnyEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === 'send') this.sent.push(effect);
      else if (effect.type === 'arm-timer') this.timers.set(effect.timer, effect.afterMs);
      else if (effect.type === 'cancel-timer') this.timers.delete(effect.timer);
      else if (effect.type === 'persist') for (const { key, value } of effect.writes) this.store.set(key, value as Uint8Array);
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

/** The app that asks. */
export class AskingSide extends Side<KeyHandOverOutput> {
  readonly machine: KeyHandOverInitiator;

  constructor(options: KeyHandOverInitiatorOptions) {
    super();
    this.machine = keyHandOverInitiator(options);
  }

  get record(): AppActivationRecord | undefined {
    return restoreAppActivation(this.store.get(APP_ACTIVATION_KEY));
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

/** The UEM Client or sibling, with an owner that has a key for everybody. */
export class HandingSide extends Side<HandedOver> {
  readonly machine: KeyHandOverResponder;
  admits = true;
  refusal: ProtocolError | undefined;
  /** Changes the answer of UEM. */
  answer: Partial<wire.AccessKeyResponse> = {};
  /** Leaves requests to the test. */
  manual = false;
  grants = 0;

  constructor(options: KeyHandOverResponderOptions) {
    super();
    this.machine = keyHandOverResponder(options);
  }

  input(input: Input<KeyHandOverResult>): this {
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
    switch (request.type) {
      case 'admit':
        return this.input({ type: 'result', result: { type: 'admitted', admitted: this.admits } });
      case 'sign':
        return this.input({ type: 'result', result: { type: 'signed', signature: crypto.p256Sign(IDENTITY_SCALAR, request.message) } });
      case 'grant': {
        if (this.refusal !== undefined) return this.input({ type: 'failed', error: this.refusal });
        this.grants++;
        return this.input({ type: 'result', result: { type: 'granted', response: { ...responseTo(request.request.nonce), ...this.answer } } });
      }
    }
  }
}

export function responseTo(nonce: Uint8Array): wire.AccessKeyResponse {
  return { accessKey: ACCESS_KEY, keyId: KEY_ID, nonce, expiryEpochS: NOW_MS / 1000 + 600, userId: USER };
}

/** Both sides, the app started. */
export function pair(name: ChannelName, { seed = '', onTransition }: SideOptions = {}): { readonly app: AskingSide; readonly client: HandingSide } {
  return {
    app: new AskingSide(initiatorOptions(name, { seed: `app${seed}`, onTransition })).start(),
    client: new HandingSide(responderOptions(name, { seed: `client${seed}`, onTransition })),
  };
}

/** Lets both sides talk until neither has anything to say, or `count` frames long. Returns all that went over the wire. */
export function converse({ app, client }: { readonly app: AskingSide; readonly client: HandingSide }, count = 10): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (frames.length < count && app.sent.length + client.sent.length > 0) {
    const [from, to] = app.sent.length > 0 ? [app, client] : [client, app];
    const frame = from.take();
    frames.push(frame);
    to.receive(frame);
  }
  return frames;
}

/** One end of the channel that says in it whatever the test wants. */
export class Liar {
  private readonly machine: HandshakeInitiator | HandshakeResponder;
  private readonly peer: HandshakePeer;
  private session: HandshakeSession | undefined;

  private constructor(name: ChannelName, machine: HandshakeInitiator | HandshakeResponder) {
    this.machine = machine;
    this.peer = { binding: { name, prologue: PEERS } };
  }

  static asApp(name: ChannelName): Liar {
    const { channel } = initiatorOptions(name);
    const machine = handshakeInitiator({
      crypto,
      entropy: seededEntropy('liar'),
      binding: { name, prologue: PEERS },
      start: { appId: APP_ID, instanceId: INSTANCE_ID },
      ...(channel.name === 'ipc' ? { identifyResponder: (certificates) => channel.identifyClient(certificates).publicKey } : {}),
    });
    return new Liar(name, machine);
  }

  static asClient(name: ChannelName): Liar {
    const certificates = name === 'ipc' ? [certificateOf()] : undefined;
    return new Liar(name, handshakeResponder({ crypto, entropy: seededEntropy('liar'), name, certificates }));
  }

  /** One input; what leaves. */
  hears(frame?: Uint8Array): readonly Uint8Array[] {
    const machine = this.machine as HandshakeResponder;
    const sent: Uint8Array[] = [];
    const inputs: Input<HandshakeRequestResult>[] = [frame === undefined ? { type: 'start' } : { type: 'received', frame }];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      for (const effect of machine.handle(input, NOW_MS)) {
        if (effect.type === 'send') sent.push(effect.frame);
        else if (effect.type === 'done') this.session = effect.output;
        else if (effect.type === 'request' && effect.request.type === 'identify')
          inputs.push({ type: 'result', result: { type: 'identified', peer: this.peer } });
        else if (effect.type === 'request' && effect.request.type === 'sign') {
          inputs.push({ type: 'result', result: { type: 'signed', signature: crypto.p256Sign(IDENTITY_SCALAR, effect.request.message) } });
        }
      }
    }
    return sent;
  }

  private get records() {
    const records = this.session?.records;
    if (records?.kind !== 'cbc') throw new Error('there is no session');
    return records;
  }

  record(inner: Uint8Array): Uint8Array {
    return this.records.sealer.seal(inner, NOW_MS);
  }

  opens(record: Uint8Array): Uint8Array {
    return this.records.opener.open(record, NOW_MS);
  }
}

/** A lying app that has a session with a client. */
export function lyingApp(name: ChannelName, client: HandingSide): Liar {
  const liar = Liar.asApp(name);
  client.receive(liar.hears()[0] as Uint8Array);
  client.receive(liar.hears(client.take())[0] as Uint8Array);
  return liar;
}

/** A lying client that has a session with an app, and the nonce of its 0x50. */
export function lyingClient(name: ChannelName, app: AskingSide): { readonly liar: Liar; readonly nonce: Uint8Array } {
  const liar = Liar.asClient(name);
  app.receive(liar.hears(app.take())[0] as Uint8Array);
  liar.hears(app.take());
  const { nonce } = wire.accessKeyRequest.decode(wire.parseFrame(liar.opens(app.take())));
  return { liar, nonce };
}

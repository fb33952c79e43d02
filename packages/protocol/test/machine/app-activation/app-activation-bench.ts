import { scryptSync } from 'node:crypto';
import {
  type AccessKeyFacts,
  APP_ACTIVATION_KEY,
  type AppActivationCoreRequest,
  type AppActivationCoreResult,
  type AppActivationEvent,
  type AppActivationInitiator,
  type AppActivationOutput,
  type AppActivationRecord,
  type AppActivationRequest,
  type AppActivationRequestResult,
  type AppActivationResponder,
  type AppProvisioning,
  appActivationInitiator,
  appActivationResponder,
  type CryptoProvider,
  type DeviceIdentity,
  type Effect,
  type HandshakeInitiator,
  type HandshakeResponder,
  type HandshakeSession,
  type HeldAccessKey,
  handshakeInitiator,
  handshakeResponder,
  type Input,
  isProtocolError,
  newAppActivation,
  ProtocolError,
  restoreAppActivation,
  type SetUpEnvelope,
  sameBytes,
  secret,
  type TransitionListener,
  toHex,
} from '../../../src/index.ts';
import { assistedAccessKey, nocHash, nocVerifier, openNocToken, sealNocToken, setUpPsk, typedAccessKeyStretch } from '../../../src/key-schedule/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
export const CORE_ID = 'core-1';
export const TENANT_ID = 'tenant-1';
export const USER = 'alice@example.com';
export const ACCESS_KEY = '0123456789ABCDE';
export const APP_ID = 'com.example.mail';
export const INSTANCE_ID = new Uint8Array(16).fill(0x11);
export const NONCE = new Uint8Array(32).fill(0x22);
export const KEY_ID = new Uint8Array(16).fill(0x33);
export const DEVICE: DeviceIdentity = { deviceId: 'device-1', deviceKeyHash: new Uint8Array(32).fill(0x44) };
export const ASSISTED: HeldAccessKey = { kind: 'assisted', accessKey: ACCESS_KEY, nonce: NONCE };
export const TYPED: HeldAccessKey = { kind: 'typed', accessKey: ACCESS_KEY };
export const crypto = nodeCrypto();

const BINDING = { name: 'sc', prologue: { tenantId: TENANT_ID, coreId: CORE_ID } } as const;
const K_TOK = secret<'noc-token'>(new Uint8Array(32).fill(0x55));
const POINT = crypto.p256PublicKey(new Uint8Array(32).fill(0x21));
const stretched = new Map<string, Uint8Array>();

/** scrypt, remembered: tests stretch the same few keys again and again. */
export function stretch({ password, salt, cost, lengthBytes }: Extract<AppActivationRequest, { readonly type: 'stretch' }>['stretch']): Uint8Array {
  const name = `${toHex(password)} ${toHex(salt)}`;
  const known = stretched.get(name) ?? new Uint8Array(scryptSync(password, salt, lengthBytes, { ...cost, maxmem: 64 * 1024 * 1024 }));
  stretched.set(name, known);
  return known.slice();
}

function secretsOf(key: HeldAccessKey) {
  const accessKey =
    key.kind === 'assisted'
      ? assistedAccessKey(crypto, key.accessKey, USER, key.nonce)
      : secret<'access-key'>(stretch(typedAccessKeyStretch(crypto, key.accessKey, USER)));
  return { psk: setUpPsk(crypto, accessKey), verifier: nocVerifier(crypto, nocHash(crypto, accessKey)) };
}

/** What the owner of UEM's machine hands out, each time with another master session key. */
export function provisioning(number: number, more: Partial<AppProvisioning> = {}): AppProvisioning {
  return {
    masterSessionKey: new Uint8Array(32).fill(number),
    sessionKeyId: new Uint8Array(16).fill(number),
    configuration: { server: 'mail.example.com' },
    policy: {},
    proxies: [{ id: 'proxy-1', host: 'proxy.example.com', port: 17_533, spkiPins: [], keyExchangeKey: POINT, roots: [new Uint8Array([1])] }],
    tenantRoots: [new Uint8Array([2])],
    expiryEpochS: NOW_MS / 1000 + 31_536_000,
    coreKeyExchangeKey: POINT,
    ...more,
  };
}

type AppEffect = Effect<AppActivationRequest, AppActivationEvent, AppActivationOutput>;

export interface AppOptions {
  readonly key?: HeldAccessKey;
  readonly device?: DeviceIdentity | undefined;
  readonly seed?: string;
  readonly crypto?: CryptoProvider;
  readonly onTransition?: TransitionListener | undefined;
}

/** The app: its machine, a store that survives crashes, and a log. It can die before any effect. */
export class AppBench {
  readonly options: AppOptions;
  readonly store = new Map<string, Uint8Array>();
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: AppEffect[] = [];
  readonly events: AppActivationEvent[] = [];
  readonly requests: AppActivationRequest[] = [];
  readonly timers = new Map<string, number>();
  output: AppActivationOutput | undefined;
  failure: ProtocolError | undefined;
  machine: AppActivationInitiator;
  nowMs = NOW_MS;
  /** Number of the effect before which the app dies. */
  dieBefore = Number.POSITIVE_INFINITY;
  dead = false;
  /** Leaves requests to the test. */
  manual = false;
  private runs = 0;

  constructor(options: AppOptions = {}) {
    this.options = options;
    this.machine = this.build(this.fresh());
  }

  /** What the owner has before the first run. */
  fresh(): AppActivationRecord {
    const { key = ASSISTED } = this.options;
    const device = 'device' in this.options ? this.options.device : key.kind === 'assisted' ? DEVICE : undefined;
    return newAppActivation({ userId: USER, appId: APP_ID, instanceId: INSTANCE_ID, device, key });
  }

  get record(): AppActivationRecord | undefined {
    return restoreAppActivation(this.store.get(APP_ACTIVATION_KEY));
  }

  get error(): ProtocolError {
    if (this.failure === undefined) throw new Error('the app has not failed');
    return this.failure;
  }

  private build(record: AppActivationRecord): AppActivationInitiator {
    const { seed = 'app', onTransition, crypto: provider = crypto } = this.options;
    const entropy = seededEntropy(`${seed} ${this.runs++}`);
    return appActivationInitiator({ crypto: provider, entropy, app: { appVersion: '1.0', platform: 'android' }, record, onTransition });
  }

  /** A new process with what is in the store. */
  restart(): this {
    this.machine = this.build(this.record ?? this.fresh());
    this.dead = false;
    this.failure = undefined;
    this.timers.clear();
    this.sent.length = 0;
    this.requests.length = 0;
    return this.start();
  }

  start(): this {
    return this.input({ type: 'start' });
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  input(input: Input<AppActivationRequestResult>): this {
    if (this.dead) return this;
    for (const effect of this.machine.handle(input, this.nowMs)) {
      if (this.effects.length >= this.dieBefore) this.dead = true;
      if (this.dead) return this;
      this.effects.push(effect);
      this.apply(effect);
    }
    return this;
  }

  private apply(effect: AppEffect): void {
    switch (effect.type) {
      case 'persist':
        for (const { key, value } of effect.writes) if (value !== null) this.store.set(key, value);
        break;
      case 'send':
        this.sent.push(effect);
        break;
      case 'arm-timer':
        this.timers.set(effect.timer, effect.afterMs);
        break;
      case 'cancel-timer':
        this.timers.delete(effect.timer);
        break;
      case 'emit':
        this.events.push(effect.event);
        break;
      case 'done':
        this.output = effect.output;
        break;
      case 'fail':
        this.failure = effect.error;
        break;
      case 'request':
        this.requests.push(effect.request);
        if (!this.manual) this.answer();
        break;
    }
  }

  /** Answers the oldest request. */
  answer(): this {
    const request = this.requests.shift();
    if (request === undefined) throw new Error('nothing was asked');
    const result: AppActivationRequestResult = request.type === 'stretch' ? { type: 'stretched', bytes: stretch(request.stretch) } : { type: 'reviewed' };
    return this.input({ type: 'result', result });
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('nothing was sent');
    return sent.frame;
  }
}

/** The NOC, as far as these flows need one: it verifies hashes, gives links and tokens, and checks tokens. */
export class NocBench {
  private readonly verifiers = new Map<string, Uint8Array>();
  readonly entropy = seededEntropy('noc');
  nowMs = NOW_MS;

  register(keyId: Uint8Array, key: HeldAccessKey): this {
    this.verifiers.set(toHex(secretsOf(key).verifier), keyId);
    return this;
  }

  /** 0x34: the key is consumed. */
  forget(): void {
    this.verifiers.clear();
  }

  /** 0x31 for 0x30, or an alert. */
  verify(bytes: Uint8Array): Uint8Array {
    const { accessKeyHash } = wire.nocVerify.decode(wire.parseFrame(bytes));
    if (!this.verifiers.has(toHex(nocVerifier(crypto, accessKeyHash)))) return wire.alert.encode({ code: 'authFailed' });
    const linkId = this.entropy.randomBytes(16);
    const tokenExpiryEpochS = Math.floor(this.nowMs / 1000) + 600;
    const token = sealNocToken(crypto, K_TOK, { tokenId: this.entropy.randomBytes(16), linkId, expiryEpochS: tokenExpiryEpochS }, TENANT_ID);
    const masterLinkKey = this.entropy.randomBytes(32);
    return wire.nocProvision.encode({
      linkId,
      masterLinkKey,
      tenantId: TENANT_ID,
      coreId: CORE_ID,
      relayAddresses: ['noc.example.com:443'],
      token,
      tokenExpiryEpochS,
    });
  }

  /** The envelope for UEM; undefined for a token that is not good. */
  envelope(setUp: Uint8Array, keyId: Uint8Array): SetUpEnvelope | undefined {
    try {
      const { pskId } = wire.handshakeStart.decode(wire.parseFrame(setUp, { trailerBytes: 32 }));
      const { tokenId, linkId } = openNocToken(crypto, K_TOK, pskId as Uint8Array, TENANT_ID, this.nowMs / 1000);
      return { tokenId, keyId, linkId, tenantId: TENANT_ID };
    } catch {
      return undefined;
    }
  }
}

interface CoreKey {
  readonly facts: AccessKeyFacts;
  failed: number;
  fresh: number;
  boundTo?: string;
  consumed?: string;
}

interface CoreSession {
  readonly machine: AppActivationResponder;
  readonly start: string;
}

export interface CoreOptions {
  readonly onTransition?: TransitionListener | undefined;
  readonly crypto?: CryptoProvider;
  readonly seed?: string;
  readonly data?: Partial<AppProvisioning>;
}

/** UEM: machines, and an owner that keeps keys and what it answered. Its disk can be full. */
export class CoreBench {
  readonly options: CoreOptions;
  readonly keys = new Map<string, CoreKey>();
  /** By session id: 0x41 and 0x42. */
  readonly kept = new Map<string, { readonly acknowledgement: Uint8Array; readonly done: Uint8Array }>();
  readonly sessions = new Map<string, CoreSession>();
  readonly requests: AppActivationCoreRequest[] = [];
  readonly failures: ProtocolError[] = [];
  /** Master session keys that were given out, and the one that is live. */
  given = 0;
  live: number | undefined;
  /** The owner refuses or cannot: thrown for the request of this type. */
  refuse: { readonly type: AppActivationCoreRequest['type']; readonly error: ProtocolError } | undefined;
  nowMs = NOW_MS;
  private made = 0;

  constructor(options: CoreOptions = {}) {
    this.options = options;
  }

  add(keyId: Uint8Array, key: HeldAccessKey, more: Partial<AccessKeyFacts> = {}): this {
    const { psk } = secretsOf(key);
    const assisted = key.kind === 'assisted' ? { app: { appId: APP_ID, instanceId: INSTANCE_ID }, device: DEVICE } : {};
    this.keys.set(toHex(keyId), { facts: { userId: USER, psk, ...assisted, ...more }, failed: 0, fresh: 0 });
    return this;
  }

  /** M1 in 0x32: M2 or an alert. */
  setUp(envelope: SetUpEnvelope, setUp: Uint8Array): readonly Uint8Array[] {
    const start = toHex(setUp);
    const same = [...this.sessions.values()].find((session) => session.start === start && !this.ended(session.machine));
    const { onTransition, crypto: provider = crypto, seed = 'core' } = this.options;
    const entropy = seededEntropy(`${seed} ${this.made++}`);
    const machine = same?.machine ?? appActivationResponder({ crypto: provider, entropy, coreId: CORE_ID, envelope, onTransition });
    return this.input(machine, { type: 'received', frame: setUp }, start);
  }

  /** A frame in 0x33. */
  enveloped({ sessionId, frame }: wire.NocEnvelope): readonly Uint8Array[] {
    const id = toHex(sessionId);
    const kept = this.kept.get(id);
    if (kept !== undefined && sameBytes(kept.acknowledgement, frame)) return [kept.done];
    const session = this.sessions.get(id);
    return session === undefined || this.ended(session.machine)
      ? [wire.alert.encode({ code: 'authFailed' })]
      : this.input(session.machine, { type: 'received', frame });
  }

  ended(machine: AppActivationResponder): boolean {
    return machine.state === 'finished' || machine.state === 'refused';
  }

  /** One input, and the owner's answers to what follows from it. */
  input(machine: AppActivationResponder, input: Input<AppActivationCoreResult>, start = ''): readonly Uint8Array[] {
    const sent: Uint8Array[] = [];
    const inputs = [input];
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of machine.handle(next, this.nowMs)) {
        if (effect.type === 'send') sent.push(effect.frame);
        else if (effect.type === 'fail') this.failures.push(effect.error);
        else if (effect.type === 'request') inputs.push(this.answer(effect.request));
        else if (effect.type === 'emit' && effect.event.type === 'replied') this.sessions.set(toHex(effect.event.sessionId), { machine, start });
        else if (effect.type === 'emit') (this.keys.get(this.identified) as CoreKey).failed++;
      }
    }
    return sent;
  }

  private identified = '';

  private answer(request: AppActivationCoreRequest): Input<AppActivationCoreResult> {
    this.requests.push(request);
    if (this.refuse?.type === request.type) return { type: 'failed', error: this.refuse.error };
    const { keyId, tokenId } = request.envelope;
    this.identified = toHex(keyId);
    const key = this.keys.get(this.identified);
    switch (request.type) {
      case 'identify': {
        const usable = key !== undefined && key.consumed === undefined && key.failed < 5 && key.fresh < 5;
        if (usable) key.fresh++;
        return { type: 'result', result: { type: 'identified', key: usable ? key.facts : undefined } };
      }
      case 'provision': {
        const bound = `${toHex(tokenId)} ${toHex(request.request.instanceId)}`;
        if (key === undefined || (key.boundTo ?? bound) !== bound) return { type: 'failed', error: new ProtocolError('ERR_PEER_REPLAY', 'bound to another') };
        key.boundTo = bound;
        return { type: 'result', result: { type: 'provisioned', data: provisioning(++this.given, this.options.data) } };
      }
      case 'consume': {
        if (key === undefined || key.consumed !== undefined) return { type: 'failed', error: new ProtocolError('ERR_PEER_REPLAY', 'consumed') };
        key.consumed = toHex(request.sessionId);
        this.live = this.given;
        this.kept.set(key.consumed, { acknowledgement: request.acknowledgement, done: request.done });
        return { type: 'result', result: { type: 'consumed' } };
      }
    }
  }
}

/** The way from app to UEM and back: what each frame of the app is answered with. */
export class Way {
  readonly noc = new NocBench();
  readonly core: CoreBench;
  keyId = KEY_ID;

  constructor(core = new CoreBench().add(KEY_ID, ASSISTED), key: HeldAccessKey = ASSISTED) {
    this.core = core;
    this.noc.register(KEY_ID, key);
  }

  exchange(frame: Uint8Array): readonly Uint8Array[] {
    try {
      return this.route(frame);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      return [wire.alert.encode({ code: 'badMessage' })];
    } finally {
      if (this.core.keys.get(toHex(this.keyId))?.consumed !== undefined) this.noc.forget();
    }
  }

  private route(frame: Uint8Array): readonly Uint8Array[] {
    switch (wire.peekFrameName(frame)) {
      case 'nocVerify':
        return [this.noc.verify(frame)];
      case 'handshakeStart': {
        const envelope = this.noc.envelope(frame, this.keyId);
        return envelope === undefined ? [wire.alert.encode({ code: 'authFailed' })] : this.core.setUp(envelope, frame);
      }
      case 'nocEnvelope': {
        const envelope = wire.nocEnvelope.decode(wire.parseFrame(frame));
        return this.core
          .enveloped(envelope)
          .map((answer) => (isAlert(answer) ? answer : wire.nocEnvelope.encode({ sessionId: envelope.sessionId, frame: answer })));
      }
      default:
        return [];
    }
  }
}

function isAlert(frame: Uint8Array): boolean {
  return wire.peekFrameName(frame) === 'alert';
}

/** Lets the next `count` frames of the app be answered. Returns all frames that went over the wire. */
export function converse(app: AppBench, way: Way, count = 10): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let done = 0; done < count && app.sent.length > 0; done++) {
    const frame = app.take();
    frames.push(frame);
    for (const answer of way.exchange(frame)) {
      frames.push(answer);
      app.receive(answer);
    }
  }
  return frames;
}

/** Somebody who holds the key of a session of `sc`, as UEM or as app, and says in it whatever the test wants. */
export class Liar {
  private readonly machine: HandshakeInitiator | HandshakeResponder;
  private session: HandshakeSession | undefined;

  private constructor(machine: HandshakeInitiator | HandshakeResponder) {
    this.machine = machine;
  }

  static asCore(key: HeldAccessKey = ASSISTED): Liar {
    return new Liar(handshakeResponder({ crypto, entropy: seededEntropy('liar'), name: 'sc' })).holding(key);
  }

  static asApp(token: Uint8Array, finishContent: Uint8Array, key: HeldAccessKey = ASSISTED, userId = USER): Liar {
    const start = { pskId: token, userId };
    return new Liar(handshakeInitiator({ crypto, entropy: seededEntropy('liar'), binding: BINDING, start, psk: secretsOf(key).psk, finishContent }));
  }

  private key: HeldAccessKey = ASSISTED;

  private holding(key: HeldAccessKey): this {
    this.key = key;
    return this;
  }

  get sessionId(): Uint8Array {
    return (this.session as HandshakeSession).sessionId;
  }

  /** One input; what leaves. */
  hears(frame?: Uint8Array): readonly Uint8Array[] {
    const machine = this.machine as HandshakeResponder;
    const effects = [...machine.handle(frame === undefined ? { type: 'start' } : { type: 'received', frame }, NOW_MS)];
    if (effects.some(({ type }) => type === 'request')) {
      effects.push(...machine.handle({ type: 'result', result: { type: 'identified', peer: { binding: BINDING, psk: secretsOf(this.key).psk } } }, NOW_MS));
    }
    for (const effect of effects) if (effect.type === 'done') this.session = effect.output;
    return effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : []));
  }

  /** A record around a frame. */
  record(inner: Uint8Array): Uint8Array {
    const { records } = this.session as HandshakeSession;
    if (records.kind !== 'cbc') throw new Error('sc has CBC records');
    return records.sealer.seal(inner, NOW_MS);
  }

  /** What a record of the other side holds. */
  opens(record: Uint8Array): Uint8Array {
    const { records } = this.session as HandshakeSession;
    if (records.kind !== 'cbc') throw new Error('sc has CBC records');
    return records.opener.open(record, NOW_MS);
  }

  /** The same in 0x33. */
  says(inner: Uint8Array): Uint8Array {
    return wire.nocEnvelope.encode({ sessionId: this.sessionId, frame: this.record(inner) });
  }
}

/** Brings an app as far as M3, with a liar for UEM. */
export function beforeLiar(app: AppBench, key: HeldAccessKey = ASSISTED): Liar {
  const way = new Way(new CoreBench(), key);
  const liar = Liar.asCore(key);
  converse(app.start(), way, 1);
  const [reply] = liar.hears(app.take());
  app.receive(reply as Uint8Array);
  liar.hears(wire.nocEnvelope.decode(wire.parseFrame(app.take())).frame);
  return liar;
}

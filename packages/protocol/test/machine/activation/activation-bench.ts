import { scryptSync } from 'node:crypto';
import {
  type ActivationAnswer,
  type ActivationEvent,
  type ActivationInitiator,
  type ActivationOutput,
  type ActivationRecord,
  type ActivationRecords,
  type ActivationRequestResult,
  type ActivationRequestToDriver,
  type ActivationResponder,
  type ActivationResponderOptions,
  type ActivationSecret,
  type ActivationVerifier,
  activationInitiator,
  activationResponder,
  type CryptoProvider,
  concatBytes,
  type DeviceCertificates,
  type Effect,
  fromHex,
  type Input,
  lp,
  ProtocolError,
  restoreActivation,
  sameBytes,
  secret,
  type TransitionListener,
  toHex,
  utf8,
} from '../../../src/index.ts';
import { passwordStretch, stretchQrSecret, verifierFromStretched } from '../../../src/key-schedule/index.ts';
import { nodeCrypto } from '../../../src/providers/node/index.ts';
import { seededEntropy } from '../../../src/testing/index.ts';
import * as wire from '../../../src/wire/index.ts';

export const NOW_MS = Date.UTC(2026, 10, 23);
export const CORE_ID = 'core-1';
export const USER = 'alice@example.com';
export const PASSWORD = 'correct horse';
export const QR_SECRET = new Uint8Array(16).fill(0x42);
export const COST = { N: 16_384, r: 8, p: 1 };
export const crypto = nodeCrypto();

const DEVICE_INFO: wire.DeviceInfo = { platform: 'ios', osVersion: '20', model: 'Phone', clientVersion: '1.0' };
const stretches = new Map<string, Uint8Array>();

/** scrypt, remembered: tests stretch the same few passwords again and again. */
function stretch(password: Uint8Array, salt: Uint8Array): Uint8Array {
  const key = toHex(concatBytes(lp(password), lp(salt)));
  const known = stretches.get(key) ?? new Uint8Array(scryptSync(password, salt, 80, { ...COST, maxmem: 64 * 1024 * 1024 }));
  stretches.set(key, known);
  return known.slice();
}

/** A stand-in for X.509 with the same promises: parts behind their lengths, a signature over the first. */
export const certificates: DeviceCertificates = {
  requestInfo: (publicKey, challengePassword) => concatBytes(lp(publicKey), lp(utf8(challengePassword))),
  request: (info, signature) => concatBytes(lp(info), signature),
  checkIssued({ certificates: [leaf], tenantRoots, publicKey, deviceId, nowMs }) {
    const expected = certificateFor(publicKey, deviceId);
    if (leaf === undefined || !sameBytes(leaf, expected) || tenantRoots.length === 0 || nowMs < NOW_MS - 86_400_000) {
      throw new ProtocolError('ERR_CERTIFICATE_CHAIN', 'not for this key');
    }
  },
};

export function certificateFor(publicKey: Uint8Array, deviceId: string): Uint8Array {
  return concatBytes(lp(publicKey), lp(utf8(deviceId)));
}

export function readCertificateRequest(csr: Uint8Array): { readonly publicKey: Uint8Array; readonly challengePassword: string } {
  const infoBytes = new DataView(csr.buffer, csr.byteOffset).getUint32(0);
  const info = csr.subarray(4, 4 + infoBytes);
  const publicKey = info.slice(4, 69);
  if (!crypto.p256Verify(publicKey, info, csr.subarray(4 + infoBytes))) throw new ProtocolError('ERR_CRYPTO_SIGNATURE', 'bad signature');
  return { publicKey, challengePassword: new TextDecoder().decode(info.subarray(73)) };
}

interface SecretState {
  readonly found: ActivationVerifier;
  readonly expired: boolean;
  tries: number;
}

interface ServerState {
  readonly secrets: Map<string, SecretState>;
  readonly devices: Map<string, { readonly deviceId: string; counts: boolean }>;
  readonly results: Map<string, Uint8Array>;
  decoys: number;
}

export interface ServerOptions {
  readonly onTransition?: TransitionListener | undefined;
  readonly limits?: ActivationResponderOptions['limits'];
  readonly users?: readonly string[];
  readonly options?: Partial<ActivationResponderOptions>;
}

/** The server: the responder over records in memory, with transactions that can fail. */
export class ServerBench {
  state: ServerState = { secrets: new Map(), devices: new Map(), results: new Map(), decoys: 0 };
  readonly responder: ActivationResponder;
  nowMs = NOW_MS;
  mayActivate = true;
  issueError: Error | undefined;
  /** Devices that prove their secret are refused with this. */
  refused: wire.ActivationRefused | undefined;
  /** What A7 is answered with. */
  doneAnswer: wire.Acknowledgement = { ok: true };
  /** Notice that goes with the configuration. */
  notice: string | undefined;
  /** Activation types that the device of the newest A5 said it can take. */
  toldTypes: readonly string[] | undefined;

  constructor({ onTransition, limits, users = [USER], options = {} }: ServerOptions = {}) {
    this.responder = activationResponder({
      crypto,
      entropy: seededEntropy('server'),
      coreId: CORE_ID,
      fakeSaltKey: secret(new Uint8Array(32).fill(9)),
      cost: COST,
      readCertificateRequest,
      limits,
      onTransition,
      ...options,
    });
    for (const user of users) this.addSecret(user, 'password').addSecret(user, 'qr');
  }

  addSecret(
    userId: string,
    kind: wire.SecretKind,
    more: { readonly expired?: boolean; readonly tries?: number; readonly slot?: number; readonly password?: string } = {},
  ): this {
    const salt = seededEntropy(`${userId} ${kind}`).randomBytes(16);
    const identity = { userId, coreId: CORE_ID };
    const stretched =
      kind === 'qr'
        ? stretchQrSecret(crypto, QR_SECRET, identity, salt)
        : stretch(passwordStretch(more.password ?? PASSWORD, identity, salt, COST).password, salt);
    const verifier = verifierFromStretched(crypto, stretched);
    if (verifier === undefined) throw new Error('unlucky salt');
    const found = { secretId: `${userId}/${kind}/${this.state.secrets.size}`, salt, cost: COST, verifier };
    this.state.secrets.set(secretName(userId, kind, more.slot), { found, expired: more.expired ?? false, tries: more.tries ?? 5 });
    return this;
  }

  triesLeft(userId = USER, kind: wire.SecretKind = 'password'): number {
    return this.state.secrets.get(`${userId}/${kind}`)?.tries ?? 0;
  }

  private records(): ActivationRecords {
    const { state } = this;
    const bySecret = (secretId: string): SecretState | undefined => [...state.secrets.values()].find(({ found }) => found.secretId === secretId);
    return {
      find: (userId, kind, slot) => state.secrets.get(secretName(userId, kind, slot))?.found,
      charge: (secretId) => {
        const known = secretId === undefined ? undefined : bySecret(secretId);
        if (known === undefined || known.expired || known.tries === 0) {
          state.decoys++;
          return false;
        }
        known.tries--;
        return true;
      },
      refund: (secretId) => {
        const known = bySecret(secretId);
        if (known !== undefined) known.tries = Math.min(5, known.tries + 1);
      },
      mayActivate: () => this.mayActivate,
      recallResult: (hash) => state.results.get(toHex(hash)),
      rememberResult: (hash, frame) => void state.results.set(toHex(hash), frame),
      issue: ({ publicKey, activationTypes }) => {
        if (this.issueError !== undefined) throw this.issueError;
        this.toldTypes = activationTypes;
        if (this.refused !== undefined) return this.refused;
        const key = toHex(publicKey);
        const deviceId = state.devices.get(key)?.deviceId ?? `device-${state.devices.size + 1}`;
        state.devices.set(key, { deviceId, counts: false });
        const details = detailsFor(publicKey, deviceId);
        return { ...details, configuration: { ...details.configuration, organizationNotice: this.notice } };
      },
    };
  }

  /** Handles one frame in a transaction, which is not settled yet. */
  begin(frame: Uint8Array, source = 'here'): ActivationAnswer & { readonly rollback: ServerState } {
    const rollback: ServerState = {
      secrets: new Map([...this.state.secrets].map(([key, value]) => [key, { ...value }])),
      devices: new Map([...this.state.devices].map(([key, value]) => [key, { ...value }])),
      results: new Map(this.state.results),
      decoys: this.state.decoys,
    };
    return { ...this.responder.handle(frame, { source, nowMs: this.nowMs, records: this.records() }), rollback };
  }

  /** Handles one frame; `durable: false` is a disk that is full. */
  handle(frame: Uint8Array, { durable = true, source = 'here' }: { readonly durable?: boolean; readonly source?: string } = {}): ActivationAnswer {
    const answer = this.begin(frame, source);
    if (!durable) this.state = answer.rollback;
    answer.settle(durable);
    return answer;
  }

  /** A7 over mutual TLS: the device counts. */
  count(deviceId: string): void {
    for (const device of this.state.devices.values()) if (device.deviceId === deviceId) device.counts = true;
  }
}

function secretName(userId: string, kind: wire.SecretKind, slot = 0): string {
  return slot === 0 ? `${userId}/${kind}` : `${userId}/${kind}/${slot}`;
}

export function detailsFor(publicKey: Uint8Array, deviceId: string): wire.ActivationDetails {
  return {
    certificates: [certificateFor(publicKey, deviceId)],
    tenantRoots: [utf8('root')],
    spkiPins: [],
    deviceId,
    tunnelKey: new Uint8Array(32).fill(5),
    configuration: {
      activationType: 'work-only',
      createWorkSpace: true,
      encryptDevice: false,
      pollIntervalS: 3_600,
      pollJitterS: 60,
      deviceAddress: 'localhost:1',
    },
  };
}

export function passwordSecret(password = PASSWORD, userId = USER, slot?: number): ActivationSecret {
  return { kind: 'password', userId, password, slot };
}

export function qrSecretOf(more: Partial<wire.QrCode> = {}): ActivationSecret {
  const code: wire.QrCode = {
    format: 1,
    host: 'localhost:2',
    userId: USER,
    secret: QR_SECRET,
    spkiPin: new Uint8Array(32),
    coreId: CORE_ID,
    expiryEpochS: NOW_MS / 1000 + 3_600,
    ...more,
  };
  return { kind: 'qr', code };
}

type InitiatorEffect = Effect<ActivationRequestToDriver, ActivationEvent, ActivationOutput>;

export interface DeviceOptions {
  readonly onTransition?: TransitionListener | undefined;
  readonly secret?: ActivationSecret;
  readonly seed?: string;
  readonly crypto?: CryptoProvider;
  readonly certificates?: DeviceCertificates;
  /** What the user says to the notice of the organisation. */
  readonly agrees?: boolean;
  readonly activationTypes?: readonly string[];
  readonly outcome?: Extract<ActivationRequestResult, { type: 'configured' }>['outcome'];
}

/** The device: the initiator with a key, a store, and all its requests answered at once. */
export class DeviceBench {
  readonly options: DeviceOptions;
  readonly scalar = fromHex('c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433');
  readonly store = new Map<string, Uint8Array>();
  readonly sent: { readonly frame: Uint8Array; readonly step: string }[] = [];
  readonly effects: InitiatorEffect[] = [];
  readonly events: ActivationEvent[] = [];
  readonly timers = new Map<string, number>();
  /** Requests are left to the test. */
  manual = false;
  requests: ActivationRequestToDriver[] = [];
  configured = 0;
  notices: string[] = [];
  machine: ActivationInitiator;
  ended: { readonly output: ActivationOutput } | { readonly error: ProtocolError } | undefined;
  nowMs = NOW_MS;
  dieBefore = Number.POSITIVE_INFINITY;
  dead = false;
  private runs = 0;

  constructor(options: DeviceOptions = {}) {
    this.options = options;
    this.machine = this.build();
  }

  private build(): ActivationInitiator {
    const record: ActivationRecord = this.record ?? { phase: 'started', userId: USER, keyId: 'device-key', context: utf8('found at') };
    return activationInitiator({
      crypto: this.options.crypto ?? crypto,
      entropy: seededEntropy(`${this.options.seed ?? 'device'} ${this.runs++}`),
      certificates: this.options.certificates ?? certificates,
      deviceInfo: DEVICE_INFO,
      activationTypes: this.options.activationTypes,
      secret: this.options.secret ?? passwordSecret(),
      record,
      onTransition: this.options.onTransition,
    });
  }

  get record(): ActivationRecord | undefined {
    return restoreActivation(this.store.get('uem/activation'));
  }

  get publicKey(): Uint8Array {
    return crypto.p256PublicKey(this.scalar);
  }

  get error(): ProtocolError {
    if (this.ended === undefined || !('error' in this.ended)) throw new Error('the activation has not failed');
    return this.ended.error;
  }

  input(input: Input<ActivationRequestResult>): this {
    for (const effect of this.machine.handle(input, this.nowMs)) {
      if (this.dead || this.effects.length >= this.dieBefore) {
        this.dead = true;
        return this;
      }
      this.effects.push(effect);
      this.apply(effect);
    }
    return this;
  }

  private apply(effect: InitiatorEffect): void {
    switch (effect.type) {
      case 'persist':
        for (const { key, value } of effect.writes) {
          if (value === null) this.store.delete(key);
          else this.store.set(key, value.slice());
        }
        return;
      case 'send':
        this.sent.push(effect);
        return;
      case 'request':
        if (this.manual) this.requests.push(effect.request);
        else this.input({ type: 'result', result: this.answer(effect.request) });
        return;
      case 'emit':
        this.events.push(effect.event);
        return;
      case 'arm-timer':
        this.timers.set(effect.timer, effect.afterMs);
        return;
      case 'cancel-timer':
        this.timers.delete(effect.timer);
        return;
      case 'done':
        this.ended = { output: effect.output };
        return;
      case 'fail':
        this.ended = { error: effect.error };
    }
  }

  answer(request: ActivationRequestToDriver): ActivationRequestResult {
    switch (request.type) {
      case 'publicKey':
        return { type: 'publicKey', publicKey: this.publicKey };
      case 'stretch':
        return { type: 'stretched', bytes: stretch(request.stretch.password, request.stretch.salt) };
      case 'sign':
        return { type: 'signed', signature: crypto.p256Sign(this.scalar, request.message) };
      case 'consent':
        this.notices.push(request.notice);
        return { type: 'consented', agreed: this.options.agrees ?? true };
      case 'configure':
        this.configured++;
        return { type: 'configured', outcome: this.options.outcome ?? { status: 'completed' }, writes: [{ key: 'os/configured', value: Uint8Array.of(1) }] };
    }
  }

  start(): this {
    return this.input({ type: 'start' });
  }

  receive(frame: Uint8Array): this {
    return this.input({ type: 'received', frame });
  }

  /** A new process after a crash: the machine is gone, store and key stay. */
  restart(): this {
    this.dead = false;
    this.dieBefore = Number.POSITIVE_INFINITY;
    this.sent.length = 0;
    this.timers.clear();
    this.ended = undefined;
    this.machine = this.build();
    return this.start();
  }

  take(): Uint8Array {
    const sent = this.sent.shift();
    if (sent === undefined) throw new Error('the device sent nothing');
    return sent.frame;
  }
}

/** Lets both talk until nothing is under way. A7 is acknowledged as the device listener does. Gives the frames that went. */
export function converse(device: DeviceBench, server: ServerBench, change: (frame: Uint8Array) => Uint8Array = (frame) => frame): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  while (device.sent.length > 0) {
    const asked = change(device.take());
    frames.push(asked);
    let answer: Uint8Array;
    if (wire.peekFrameName(asked) === 'activationDone') {
      const { deviceId, status } = wire.activationDone.decode(wire.parseFrame(asked));
      if (status === 'completed') server.count(deviceId);
      answer = wire.acknowledgement.encode(server.doneAnswer);
    } else {
      answer = server.handle(asked).frame;
    }
    const arrived = change(answer);
    frames.push(arrived);
    device.receive(arrived);
  }
  return frames;
}

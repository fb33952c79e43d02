import {
  type ActivationRecords,
  type ActivationResponder,
  activationResponder,
  answerActivationDone,
  answerManagement,
  type Clock,
  type CryptoProvider,
  commandPriority,
  type Entropy,
  endsManagement,
  isProtocolError,
  ProtocolError,
  passwordStretch,
  type QueueChange,
  type QueueEntry,
  type Spake2Verifier,
  sameBytes,
  secret,
  stretchQrSecret,
  toBase64url,
  toHex,
  verifierFromStretched,
  x509,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { DeviceIdentity, ExchangeRequest, PushConnection, PushRequest, Trust, UemTransport } from '../../src/index.ts';

const DAY_MS = 86_400_000;
const COST = { N: 16_384, r: 8, p: 1 };

/** A device as this server knows it. */
export interface KnownDevice {
  readonly deviceId: string;
  readonly userId: string;
  readonly publicKey: Uint8Array;
  state: 'pending' | 'active' | 'configurationFailed' | 'deactivated' | 'revoked';
  certificate: Uint8Array;
  queue: QueueEntry[];
  readonly results: wire.CommandResult[];
  readonly polls: wire.Poll[];
  pushToken?: Uint8Array;
}

/** What becomes of one request. `lose` and `error` come before the server does anything, `loseAnswer` after; with `until` the answer comes later, even to nobody. */
export type MemoryFault = 'lose' | 'loseAnswer' | 'hang' | ProtocolError | undefined | { readonly until: Promise<void> };

export interface MemoryUemOptions {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly schedule?: { readonly pollIntervalS: number; readonly pollJitterS: number };
  readonly certificateLifeMs?: number;
  readonly configuration?: Partial<wire.DeviceConfiguration>;
}

interface WrongRenewal {
  readonly deviceId: string;
  readonly publicKey: Uint8Array;
  readonly root: Uint8Array;
}

/** UEM, Infrastructure and notification service in memory, out of the protocol's own server roles: the other end for tests of the client alone. */
export class MemoryUem {
  readonly devices: Map<string, KnownDevice> = new Map();
  /** `service frame`, in order. */
  readonly requests: string[] = [];
  /** What the server of each of these had to prove. */
  readonly trusts: Trust[] = [];
  /** Of these, what a transport must not send twice. */
  readonly onlyOnce: string[] = [];
  readonly pushes: Map<string, PushRequest> = new Map();
  /** Wake-ups that a device has confirmed. */
  readonly acknowledged: string[] = [];
  fault: (service: string, frame: wire.FrameName | undefined) => MemoryFault = () => undefined;
  /** Called before a push connection opens; throws to refuse it. */
  pushFault: () => void = () => undefined;
  pingIntervalS = 120;
  released = 0;
  /** Devices that prove their secret are refused with this. */
  refused: wire.ActivationRefused | undefined;
  /** What A7 of a completed activation is answered with, in place of the acknowledgement. */
  tooLate: wire.ActivationRefusalReason | undefined;
  toldTypes: readonly string[] | undefined;
  /** What the certificate of a renewal is for, in place of the device that asked, and the root that it comes with. */
  wrongRenewal: Partial<WrongRenewal> | undefined;
  /** What the Infrastructure says instead of the truth. */
  discoveryAnswer: Uint8Array | undefined;
  /** 0x51 that came, and how they are answered. */
  readonly keyRequests: wire.AccessKeyForward[] = [];
  keyAnswer: (request: wire.AccessKeyForward) => Partial<wire.AccessKeyResponse> | wire.AlertCode | Uint8Array = () => ({});
  /** The last 0x52, the same bytes that the client got. */
  lastKey: Uint8Array | undefined;
  readonly coreId = 'core-1';
  readonly #options: MemoryUemOptions;
  readonly #caKey: Uint8Array;
  readonly root: Uint8Array;
  readonly #secrets: Map<string, { readonly secretId: string; readonly salt: Uint8Array; readonly verifier: Spake2Verifier }> = new Map();
  readonly #results: Map<string, Uint8Array> = new Map();
  readonly #responder: ActivationResponder;
  #serial = 1;

  constructor(options: MemoryUemOptions) {
    this.#options = options;
    const { crypto, entropy } = options;
    this.#caKey = entropy.randomBytes(32);
    this.root = this.#sign('lab CA', crypto.p256PublicKey(this.#caKey), { kind: 'authority', pathLength: 0 }, 3650 * DAY_MS);
    this.#responder = activationResponder({
      crypto,
      entropy,
      coreId: this.coreId,
      fakeSaltKey: secret(entropy.randomBytes(32)),
      cost: COST,
      readCertificateRequest: (csr) => {
        const { publicKey, challengePassword = '' } = x509.readCertificationRequest(crypto, csr);
        return { publicKey, challengePassword };
      },
    });
  }

  get trust(): { readonly roots: readonly Uint8Array[]; readonly spkiPins: readonly Uint8Array[] } {
    return { roots: [this.root], spkiPins: [] };
  }

  async setPassword(userId: string, password: string, slot = 0): Promise<void> {
    const { crypto, entropy } = this.#options;
    const salt = entropy.randomBytes(16);
    const { password: input, cost, lengthBytes } = passwordStretch(password, { userId, coreId: this.coreId }, salt, COST);
    this.#addSecret(slot === 0 ? `${userId} password` : `${userId} password ${slot}`, salt, await crypto.scrypt(input, salt, cost, lengthBytes));
  }

  /** Content of a QR code for this user. */
  qrCode(userId: string, expiresInMs = DAY_MS): string {
    const { crypto, entropy, clock } = this.#options;
    const [value, salt] = [entropy.randomBytes(16), entropy.randomBytes(16)];
    this.#addSecret(`${userId} qr`, salt, stretchQrSecret(crypto, value, { userId, coreId: this.coreId }, salt));
    const expiryEpochS = Math.floor((clock.nowMs() + expiresInMs) / 1000);
    const code = { format: 1, host: 'activation:1', userId, secret: value, spkiPin: new Uint8Array(32), coreId: this.coreId, expiryEpochS };
    return toBase64url(wire.encodeCbor(wire.qrCode.encode(code, 'qr')));
  }

  get active(): readonly KnownDevice[] {
    return [...this.devices.values()].filter((device) => device.state === 'active');
  }

  /** The one device that counts. */
  get only(): KnownDevice {
    const [device, ...others] = this.active;
    if (device === undefined || others.length > 0) throw new Error(`there are ${this.active.length} active devices`);
    return device;
  }

  send(device: KnownDevice, type: string, properties: wire.WireDocument = {}, more: Partial<QueueEntry> = {}): Uint8Array {
    const commandId = this.#options.entropy.randomBytes(16);
    const createdAtMs = this.#options.clock.nowMs();
    device.queue.push({ commandId, type, priority: commandPriority(type) ?? 2, properties, createdAtMs, state: 'queued', ...more });
    return commandId;
  }

  wake(device: KnownDevice): boolean {
    const push = this.pushes.get(toHex(device.pushToken ?? new Uint8Array(0)));
    push?.onFrame(wire.wakeUp.encode({ wakeUpId: this.#options.entropy.randomBytes(16), sentAtEpochMs: this.#options.clock.nowMs() }));
    return push !== undefined;
  }

  /** One device's way to this server. */
  transport(): UemTransport {
    return {
      exchange: (request) => this.#exchange(request),
      openPush: async (request) => this.#openPush(request),
      release: () => {
        this.released++;
      },
      close: async () => undefined,
    };
  }

  async #exchange(request: ExchangeRequest): Promise<Uint8Array> {
    const { signal, service, frame } = request;
    const name = wire.peekFrameName(frame);
    const fault = this.fault(service, name);
    signal?.throwIfAborted();
    await Promise.resolve();
    this.requests.push(`${service} ${name}`);
    this.trusts.push(request.trust);
    if (request.once === true) this.onlyOnce.push(`${service} ${name}`);
    if (fault instanceof ProtocolError) throw fault;
    if (fault === 'hang') await aborted(signal);
    if (fault === 'lose') throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'lost on the way');
    const answer = this.#answer(request);
    await Promise.resolve();
    // Some transports learn too late that nobody waits any more.
    if (typeof fault === 'object') {
      await fault.until;
      return answer;
    }
    signal?.throwIfAborted();
    if (fault === 'loseAnswer') throw new ProtocolError('ERR_TRANSPORT_CLOSED', 'answer lost on the way');
    return answer;
  }

  #answer({ service, frame, identity, address }: ExchangeRequest): Uint8Array {
    if (address !== { discovery: 'infrastructure:1', activation: 'activation:1', device: 'devices:1' }[service]) throw new Error(`wrong address ${address}`);
    switch (service) {
      case 'discovery':
        return this.discoveryAnswer ?? wire.discoveryResponse.encode({ version: 1, tenantId: 'tenant', activationAddress: 'activation:1', spkiPins: [] });
      case 'activation': {
        const answer = this.#responder.handle(frame, { source: 'device', nowMs: this.#options.clock.nowMs(), records: this.#records() });
        answer.settle(true);
        return answer.frame;
      }
      case 'device':
        return this.#answerDevice(frame, identity);
    }
  }

  #answerDevice(frame: Uint8Array, identity: DeviceIdentity | undefined): Uint8Array {
    const leaf = x509.readCertificate(identity?.certificates[0] ?? new Uint8Array(0));
    const device = this.devices.get(x509.deviceIdOf(leaf) ?? '');
    if (device === undefined || device.state === 'deactivated') return wire.alert.encode({ code: 'unknownDevice' });
    if (device.state === 'revoked') return wire.alert.encode({ code: 'revoked' });
    if (this.#options.clock.nowMs() > leaf.notAfterMs) return wire.alert.encode({ code: 'expired' });
    switch (wire.peekFrameName(frame)) {
      case 'activationDone': {
        const { done, frame: acknowledgement } = answerActivationDone(frame, device.deviceId);
        if (this.tooLate !== undefined) return wire.acknowledgement.encode({ ok: false, refusal: this.tooLate });
        if (done.status === 'declined') this.devices.delete(device.deviceId);
        else if (device.state === 'pending') device.state = done.status === 'completed' ? 'active' : 'configurationFailed';
        return acknowledgement;
      }
      case 'deactivate':
        wire.deactivate.decode(wire.parseFrame(frame));
        device.state = 'deactivated';
        return wire.acknowledgement.encode({ ok: true });
      case 'renewRequest': {
        const { csr } = wire.renewRequest.decode(wire.parseFrame(frame));
        const { publicKey } = x509.readCertificationRequest(this.#options.crypto, csr);
        if (!sameBytes(publicKey, device.publicKey)) return wire.alert.encode({ code: 'badMessage' });
        if (this.wrongRenewal !== undefined) return this.#renewWrongly({ deviceId: device.deviceId, publicKey, root: this.root, ...this.wrongRenewal });
        device.certificate = this.#issueLeaf(device.deviceId, publicKey);
        return wire.renewResult.encode({ certificates: [device.certificate], tenantRoots: [this.root] });
      }
      case 'accessKeyForward':
        return this.#grantKey(device, wire.accessKeyForward.decode(wire.parseFrame(frame)));
      default:
        return this.#manage(device, frame);
    }
  }

  #renewWrongly({ deviceId, publicKey, root }: WrongRenewal): Uint8Array {
    return wire.renewResult.encode({ certificates: [this.#issueLeaf(deviceId, publicKey)], tenantRoots: [root] });
  }

  #grantKey({ userId }: KnownDevice, request: wire.AccessKeyForward): Uint8Array {
    const { clock, entropy } = this.#options;
    this.keyRequests.push(request);
    const answer = this.keyAnswer(request);
    if (typeof answer === 'string') return wire.alert.encode({ code: answer });
    const expiryEpochS = Math.floor(clock.nowMs() / 1_000) + 600;
    this.lastKey =
      answer instanceof Uint8Array
        ? answer
        : wire.accessKeyResponse.encode({
            accessKey: '0123456789ABCDE',
            keyId: entropy.randomBytes(16),
            nonce: request.nonce,
            expiryEpochS,
            userId,
            ...answer,
          });
    return this.lastKey;
  }

  #manage(device: KnownDevice, frame: Uint8Array): Uint8Array {
    const { clock, schedule = { pollIntervalS: 3_600, pollJitterS: 0 } } = this.#options;
    try {
      const reply = answerManagement(frame, device.queue, clock.nowMs(), { schedule });
      if (reply.poll !== undefined) device.polls.push(reply.poll);
      if (reply.poll?.pushToken !== undefined) device.pushToken = reply.poll.pushToken;
      for (const change of reply.changes) this.#change(device, change);
      return reply.frame;
    } catch (error) {
      if (isProtocolError(error)) return wire.alert.encode({ code: 'badMessage' });
      throw error;
    }
  }

  #change(device: KnownDevice, change: QueueChange): void {
    const patch = (more: Partial<QueueEntry>): void => {
      device.queue = device.queue.map((entry) => (sameBytes(entry.commandId, change.commandId) ? { ...entry, ...more } : entry));
    };
    switch (change.type) {
      case 'sent':
        return patch({ state: 'sent' });
      case 'deferred':
        return patch({ state: 'queued', notBeforeMs: change.notBeforeMs });
      case 'expired':
        return patch({ state: 'failed' });
      case 'completed':
        device.results.push(change.result);
        if (change.result.status === 'done' && endsManagement(change.commandType)) device.state = 'deactivated';
        return patch({ state: change.result.status === 'done' ? 'done' : 'failed' });
      case 'ignored':
        return undefined;
    }
  }

  #openPush(request: PushRequest): PushConnection {
    this.pushFault();
    let token = '';
    let heard = false;
    return {
      send: (frame) => {
        if (wire.peekFrameName(frame) === 'pushAck') this.acknowledged.push(toHex(wire.pushAck.decode(wire.parseFrame(frame)).wakeUpId));
        if (wire.peekFrameName(frame) !== 'pushRegister') return;
        const { token: known } = wire.pushRegister.decode(wire.parseFrame(frame));
        const given = known ?? this.#options.entropy.randomBytes(32);
        token = toHex(given);
        this.pushes.set(token, request);
        queueMicrotask(() => request.onFrame(wire.pushRegistered.encode({ token: given, pingIntervalS: this.pingIntervalS })));
      },
      close: () => {
        this.pushes.delete(token);
        queueMicrotask(() => request.onClose());
      },
      heard: () => {
        const answer = heard;
        heard = false;
        return answer;
      },
      ping: () => {
        heard = this.pushes.has(token);
      },
    };
  }

  #addSecret(name: string, salt: Uint8Array, stretched: Uint8Array): void {
    const verifier = verifierFromStretched(this.#options.crypto, stretched);
    if (verifier === undefined) throw new Error('take another seed');
    this.#secrets.set(name, { secretId: name, salt, verifier });
  }

  #records(): ActivationRecords {
    return {
      find: (userId, kind, slot) => {
        const found = this.#secrets.get(slot === 0 ? `${userId} ${kind}` : `${userId} ${kind} ${slot}`);
        return found === undefined ? undefined : { ...found, cost: COST };
      },
      charge: (secretId) => secretId !== undefined,
      refund: () => undefined,
      mayActivate: () => true,
      recallResult: (hash) => this.#results.get(toHex(hash)),
      rememberResult: (hash, frame) => void this.#results.set(toHex(hash), frame),
      issue: ({ userId, publicKey, activationTypes }) => {
        this.toldTypes = activationTypes;
        if (this.refused !== undefined) return this.refused;
        for (const device of this.devices.values())
          if (device.state === 'pending' && sameBytes(device.publicKey, publicKey)) this.devices.delete(device.deviceId);
        const id = toHex(this.#options.entropy.randomBytes(16));
        const deviceId = `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20)}`;
        const certificate = this.#issueLeaf(deviceId, publicKey);
        this.devices.set(deviceId, { deviceId, userId, publicKey, certificate, state: 'pending', queue: [], results: [], polls: [] });
        const configuration: wire.DeviceConfiguration = {
          activationType: 'work-and-personal-full-control',
          createWorkSpace: true,
          encryptDevice: true,
          pollIntervalS: 3_600,
          pollJitterS: 0,
          deviceAddress: 'devices:1',
          notificationAddress: 'push:1',
          ...this.#options.configuration,
        };
        return { certificates: [certificate], tenantRoots: [this.root], spkiPins: [], deviceId, tunnelKey: new Uint8Array(32), configuration };
      },
    };
  }

  #issueLeaf(deviceId: string, publicKey: Uint8Array): Uint8Array {
    const purpose = { kind: 'leaf', usages: ['clientAuth'], uris: [x509.deviceUri(deviceId)], dnsNames: [], ipAddresses: [] } as const;
    return this.#sign(deviceId, publicKey, purpose, this.#options.certificateLifeMs ?? 365 * DAY_MS);
  }

  #sign(commonName: string, publicKey: Uint8Array, purpose: x509.CertificatePurpose, lifeMs: number): Uint8Array {
    const { crypto, clock } = this.#options;
    const issuer = { commonName: 'lab CA', publicKey: crypto.p256PublicKey(this.#caKey) };
    const serial = Uint8Array.of(1, this.#serial >> 8, this.#serial++ & 0xff);
    const notBeforeMs = clock.nowMs() - DAY_MS;
    const info = x509.certificateInfo(crypto, { serial, issuer, commonName, publicKey, notBeforeMs, notAfterMs: notBeforeMs + lifeMs, purpose });
    return x509.certificate(info, crypto.p256Sign(this.#caKey, info));
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

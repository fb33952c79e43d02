import { type Clock, type CryptoProvider, type Entropy, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { AdminHttp } from '../admin/admin-http.ts';
import type { Connection } from '../admin/connection-file.ts';
import { ActivationRun } from './activation-run.ts';
import { DeviceKey } from './device-key.ts';
import { EnrolledDevice } from './enrolled-device.ts';
import { FRAME_MEDIA_TYPE, messageOf } from './frames.ts';
import { HttpWire, type TlsChoice, type WireResponse } from './http-wire.ts';
import { openPush, PATIENCE_MS, type PushPlace, type PushWire } from './push-wire.ts';
import { type PasswordSecret, type QrSecret, SetUp, type TestUser } from './set-up.ts';

export interface TargetOptions {
  readonly connection: Connection;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** Lets time pass for device and server alike; waits on the clock unless a test that owns the clock of the server gives its own. */
  pass?(durationMs: number): Promise<void>;
  /** How long a case waits for a wake-up before it says that none came; ten seconds unless set. */
  readonly patienceMs?: number;
}

/** The server under test, for all cases of a run. */
export class Target {
  readonly options: TargetOptions;
  readonly http: HttpWire;
  readonly admin: AdminHttp;
  readonly #run: string;
  #cases = 0;

  constructor(options: TargetOptions) {
    this.options = options;
    this.http = new HttpWire(options.connection.ca);
    this.admin = new AdminHttp(options.connection);
    this.#run = toHex(options.entropy.randomBytes(5));
  }

  /** For one case. */
  subject(): Subject {
    this.#cases += 1;
    return new Subject(this, `${this.#run}-${this.#cases}`);
  }

  async close(): Promise<void> {
    await this.http.close();
    await this.admin.close();
  }
}

/** What one case may do with the server, and what is taken back when it is over. */
export class Subject {
  readonly connection: Connection;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly http: HttpWire;
  readonly setUp: SetUp;
  readonly pushPlace: PushPlace;
  readonly #pass: (durationMs: number) => Promise<void>;
  // BOUNDED by what one case does.
  readonly #pushes: PushWire[] = [];
  // BOUNDED by what one case does.
  readonly #runs: ActivationRun[] = [];

  constructor({ options, http, admin }: Target, name: string) {
    const { connection, crypto, entropy, clock, pass, patienceMs = PATIENCE_MS } = options;
    this.connection = connection;
    this.crypto = crypto;
    this.entropy = entropy;
    this.clock = clock;
    this.http = http;
    this.setUp = new SetUp(admin, name);
    this.pushPlace = { address: connection.notification, ca: connection.ca, patienceMs };
    this.#pass = pass ?? ((durationMs) => new Promise((resolve) => void clock.setTimer(durationMs, resolve)));
  }

  pass(durationMs: number): Promise<void> {
    return this.#pass(durationMs);
  }

  /** One frame to a service. */
  post(service: 'discovery' | 'activation' | 'device', frame: Uint8Array, tls: TlsChoice = {}): Promise<WireResponse | undefined> {
    const { infrastructure, activation, devices } = this.connection;
    const address = { discovery: infrastructure, activation, device: devices }[service];
    return this.http.request({ address, path: `/uemkit/1/${service}`, headers: { 'content-type': FRAME_MEDIA_TYPE }, body: frame, tls });
  }

  /** An activation by a device of its own, or with the key of another one. */
  run(credentials: PasswordSecret | QrSecret, key?: DeviceKey): ActivationRun {
    const { crypto, entropy } = this;
    const run = new ActivationRun({ crypto, entropy, post: (frame) => this.post('activation', frame) }, credentials, key);
    this.#runs.push(run);
    return run;
  }

  newKey(): DeviceKey {
    return new DeviceKey(this.crypto, this.entropy);
  }

  /** A new user with a QR code that works once. */
  async invited(): Promise<{ readonly user: TestUser; readonly code: QrSecret }> {
    const user = await this.setUp.user();
    return { user, code: await this.setUp.qrCode(user) };
  }

  /** A device after A6. */
  async pending(user?: TestUser, key?: DeviceKey): Promise<EnrolledDevice> {
    const owner = user ?? (await this.setUp.user());
    const run = this.run(await this.setUp.qrCode(owner), key);
    return this.device(owner, run.key, await run.details());
  }

  /** A device that is active, counts and has nothing to do. */
  async enrolled(user?: TestUser, key?: DeviceKey): Promise<EnrolledDevice> {
    const device = await this.pending(user, key);
    messageOf(await device.confirm(), wire.acknowledgement);
    return device.drain();
  }

  device(user: TestUser, key: DeviceKey, details: wire.ActivationDetails): EnrolledDevice {
    return new EnrolledDevice({ user, key, details, post: (frame, tls) => this.post('device', frame, tls) });
  }

  /** An open push connection; it is closed with the case. */
  async push(): Promise<PushWire> {
    const push = await openPush(this.pushPlace);
    this.#pushes.push(push);
    return push;
  }

  /** Takes back what the case has made. Runs are ended: a server keeps few unfinished ones of one source. */
  async close(): Promise<void> {
    for (const push of this.#pushes) await push.close();
    for (const run of this.#runs) await run.abandon();
    await this.setUp.tidy(this.#runs.flatMap(({ userId, deviceIds }) => deviceIds.map((deviceId) => ({ userId, deviceId }))));
  }
}

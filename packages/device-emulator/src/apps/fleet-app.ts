import { activationDelegate, type Block, type NocTransport, type NocTrust } from '@uemkit/dynamics-sdk';
import {
  listenForSiblings,
  type NodeDynamicsRuntime,
  type NodeRuntimeOptions,
  openDynamicsRuntime,
  siblingSocket,
  uemClientSocket,
} from '@uemkit/dynamics-sdk/node';
import { type Clock, type CryptoProvider, type Entropy, isProtocolError, ProtocolError, type TraceEvent, toHex } from '@uemkit/protocol';
import type { FleetDevice } from '../fleet/fleet-device.ts';
import type { FleetStore } from '../fleet/fleet-store.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import type { AppCondition } from '../plan/commanded-apps.ts';
import { APP_VERSION, type PlannedApp, signerOf } from '../plan/planned-apps.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';
import type { StepSink } from '../trace/step-sink.ts';
import type { AppSockets } from './app-sockets.ts';
import { AppStorage } from './app-storage.ts';
import { derivedAppPassword, derivedDeviceKey, FLEET_PASSWORD_COST } from './derived-device-key.ts';

/** What all apps of a fleet share. */
export interface AppSurroundings {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly draw: SeededDraw;
  readonly store: FleetStore;
  readonly sockets: AppSockets;
  readonly noc: { readonly address: string; readonly trust: NocTrust };
  readonly transport: NocTransport;
  /** Takes the steps of a device. */
  readonly steps?: ((index: number) => StepSink | undefined) | undefined;
}

/** One emulated app: the real runtime on an emulated device. */
export class FleetApp {
  readonly planned: PlannedApp;
  readonly runtime: NodeDynamicsRuntime;
  readonly #device: FleetDevice;
  readonly #asked: FleetApp | undefined;
  readonly #path: string;
  readonly #password: string;
  readonly #rowsLeft: () => number;
  /** The newest block that the runtime has shown. */
  #block: Block | undefined;
  /** A key that was not used up yet; a second attempt goes on with it. */
  #accessKey: string | undefined;

  private constructor({ planned, runtime, device, asked, path, password, rowsLeft }: OpenedApp) {
    this.planned = planned;
    this.runtime = runtime;
    this.#device = device;
    this.#asked = asked;
    this.#path = path;
    this.#password = password;
    this.#rowsLeft = rowsLeft;
    runtime.addEventListener('statechange', ({ detail }) => {
      this.#block = detail.block;
    });
  }

  /** Loads the app from the fleet's store, or installs it. `asked`: the app that it asks for a key. @throws ProtocolError `ERR_STORE_*` */
  static async open(planned: PlannedApp, device: FleetDevice, asked: FleetApp | undefined, surroundings: AppSurroundings): Promise<FleetApp> {
    const { crypto, clock, entropy, draw, store, sockets, noc, transport, steps } = surroundings;
    const { name, ordinal } = planned;
    const prefix = store.appPrefix(planned.device, name);
    const fullName = `app ${name} of ${planned.device}`;
    const sink = steps?.(planned.device);
    const path = await sockets.path(ordinal);
    const runtime = await openDynamicsRuntime({
      crypto,
      clock,
      entropy,
      app: { appId: planned.application, version: APP_VERSION, platform: SYSTEMS[device.planned.system].title },
      noc,
      transport,
      store: store.part(`${prefix}state/`),
      openStorage: () => new AppStorage(store, `${prefix}container/`),
      deviceKey: derivedDeviceKey({ crypto, draw, store: store.part(prefix), name: fullName }),
      passwordCost: FLEET_PASSWORD_COST,
      trace: sink === undefined ? undefined : (event) => (isTracedHere(event, planned) ? sink.message(event) : undefined),
      ...keyOptions(planned, device, asked, path),
    });
    if (!runtime.isActivated && runtime.state !== 'wiped')
      sink?.noted({ timeMs: clock.nowMs(), step: 'F3.2', from: 'user', to: 'app', message: 'app installed', body: { name, application: planned.application } });
    const rowsLeft = (): number => store.keys(`${prefix}container/`, { prefix: '', limit: Number.MAX_SAFE_INTEGER }).length;
    return new FleetApp({ planned, runtime, device, asked, path, password: derivedAppPassword(draw, fullName), rowsLeft });
  }

  /** Hexadecimal. */
  get instanceId(): string {
    return toHex(this.runtime.instanceId);
  }

  /** What an administrator has left of it, as the app has it; `closed`: no administrator has closed it, something else has. */
  get condition(): AppCondition | 'closed' {
    const { state, code } = this.runtime;
    if (state === 'wiped') return 'wiped';
    if (code === 'GDErrorRemoteLockout') return 'locked';
    // One that is only hidden goes on behind its face.
    if (state === 'authorized' || (state === 'locked' && HIDDEN.includes(code))) return 'open';
    return state === 'locked' && code === 'GDErrorBlocked' ? 'blocked' : 'closed';
  }

  /** Of a blocked app: the block that it shows. */
  get block(): Block | undefined {
    return this.condition === 'blocked' ? this.#block : undefined;
  }

  /** Profiles that it goes by, by kind; none before its activation and behind its wipe. */
  get policies(): Readonly<Record<string, unknown>> {
    return this.runtime.isActivated ? this.runtime.getApplicationPolicy() : {};
  }

  /** Rows of its container in the store of the fleet. */
  get rowsLeft(): number {
    return this.#rowsLeft();
  }

  /**
   * Asks UEM what has changed, and carries it out (F5.3 to F5.5). Gives whether UEM has heard that it is carried out; of an app that was wiped before nobody knows.
   * @throws ProtocolError as `DynamicsRuntime.update`; an abort throws its reason
   */
  async update(signal: AbortSignal): Promise<boolean> {
    try {
      return this.runtime.state !== 'wiped' && (await this.runtime.update({ signal })).isConfirmed;
    } catch (error) {
      if (this.runtime.state === 'wiped') return false;
      throw error;
    }
  }

  /** The user tries the right password. Gives whether the container is open then. @throws ProtocolError `ERR_STORE_*` */
  async opens(): Promise<boolean> {
    const { runtime } = this;
    if (runtime.state === 'wiped') await runtime.authorize({ password: this.#password });
    else if (runtime.container === undefined) await runtime.unlock(this.#password).catch(unlessThereIsNothingToOpen);
    return runtime.container !== undefined;
  }

  /**
   * F3.1 to F3.12: gets a key from where the plan says, activates itself and opens its container. `mailedKey` has a key mailed and reads it.
   * @throws ProtocolError with its step
   */
  async activate(mailedKey: () => Promise<string>, signal: AbortSignal): Promise<void> {
    if (this.runtime.state === 'authorized') return;
    const { key } = this.planned;
    if (key === 'mail' && !this.runtime.isActivated) this.#accessKey ??= await mailedKey();
    const listener = this.runtime.isActivated ? undefined : await this.#listen();
    try {
      const credentials = this.#accessKey === undefined ? {} : { credentials: { userId: this.#device.planned.userId, accessKey: this.#accessKey } };
      const { state, code, error, keyConsumed } = await this.runtime.authorize({ password: this.#password, signal, ...credentials });
      if (keyConsumed) this.#accessKey = undefined;
      // An app that an administrator has closed is activated all the same.
      if (state === 'authorized' || this.condition === 'locked' || this.condition === 'blocked') return;
      throw error ?? new ProtocolError('ERR_APP_NOT_AUTHORIZED', `the app is ${state}: ${code}`);
    } finally {
      await listener?.close();
    }
  }

  close(): Promise<void> {
    return this.runtime.close();
  }

  /** Who gives the key listens as long as it is asked. */
  async #listen(): Promise<{ close(): Promise<void> } | undefined> {
    const { key, platformId } = this.planned;
    if (key === 'uem-client') return this.#device.listenForApp(this.#path, platformId);
    if (this.#asked === undefined) return undefined;
    return listenForSiblings({ runtime: this.#asked.runtime, path: this.#path, identify: async () => platformId });
  }
}

/** Codes of an app whose user is away, or has to choose another password: its network stays. */
const HIDDEN: readonly string[] = ['GDErrorIdleLockout', 'GDErrorPasswordChangeRequired'];

/** An app whose container was not opened has no use for `unlock`. */
function unlessThereIsNothingToOpen(error: unknown): void {
  if (!isProtocolError(error) || error.code !== 'ERR_USAGE_STATE') throw error;
}

interface OpenedApp {
  readonly planned: PlannedApp;
  readonly runtime: NodeDynamicsRuntime;
  readonly device: FleetDevice;
  readonly asked: FleetApp | undefined;
  readonly path: string;
  readonly password: string;
  rowsLeft(): number;
}

function keyOptions(planned: PlannedApp, device: FleetDevice, asked: FleetApp | undefined, path: string): Partial<NodeRuntimeOptions> {
  const { platformId, key } = planned;
  const signers = [signerOf(planned)];
  if (key === 'uem-client')
    return { uemClient: uemClientSocket({ path, platformIds: { app: platformId, uemClient: device.clientPlatformId } }), ...delegate(platformId, signers) };
  if (asked === undefined) return delegate(platformId, signers);
  return { siblings: { platformId, signers, links: [siblingSocket({ path, platformId: asked.planned.platformId })] } };
}

/** What two apps of a fleet, or one and its UEM Client, say to each other is seen twice: the UEM Client traces it, and the app that asks another one. */
function isTracedHere({ from, to }: TraceEvent, { key }: PlannedApp): boolean {
  return key === 'sibling' || [from, to].some((name) => name === 'noc' || name === 'proxy' || name === 'uem');
}

/** The emulated user agrees each time. */
function delegate(platformId: string, signers: readonly string[]): Partial<NodeRuntimeOptions> {
  return { delegate: activationDelegate({ platformId, signers, consent: () => true }) };
}

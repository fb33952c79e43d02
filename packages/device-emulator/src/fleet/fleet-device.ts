import { type Clock, type CryptoProvider, type Entropy, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import {
  type ActivationCredentials,
  type CallOptions,
  type ClientState,
  createUemClient,
  type TlsKeyStore,
  type UemClient,
  type UemClientLimits,
  type UemTransport,
} from '@uemkit/uem-client';
import { appEndpoint } from '@uemkit/uem-client/apps';
import { type AppListener, listenForApps, nodeTransport, type TlsContexts } from '@uemkit/uem-client/node';
import type { DeviceState } from '../operating-systems/device-state.ts';
import { EmulatedOperatingSystem } from '../operating-systems/emulated-operating-system.ts';
import { decodeExecution, EXECUTION_PREFIX, type Execution } from '../operating-systems/execution-log.ts';
import { factoryState } from '../operating-systems/factory-state.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import { clientPlatformIdOf } from '../plan/planned-apps.ts';
import type { PlannedDevice } from '../plan/planned-device.ts';
import type { SeededDraw } from '../plan/seeded-draw.ts';
import type { StepSink } from '../trace/step-sink.ts';
import { DerivedKeyStore } from './derived-key-store.ts';
import type { DeviceObserver } from './device-observer.ts';
import { DeviceSteps } from './device-steps.ts';
import type { FleetStore } from './fleet-store.ts';
import { type LossBudget, withPushLoss } from './push-loss.ts';
import { PushTracker } from './push-tracker.ts';

/** What all devices of a fleet share. */
export interface FleetSurroundings {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly draw: SeededDraw;
  readonly store: FleetStore;
  readonly contexts: TlsContexts;
  readonly observer: DeviceObserver;
  /** Share of the wake-ups that are lost. */
  readonly pushLoss: number;
  readonly lossBudget: LossBudget;
  /** How often this fleet has been started before; draws of another start are others. */
  readonly start: number;
  readonly limits?: Partial<UemClientLimits> | undefined;
  /** Takes the steps of each device: a trace, a flight recorder. */
  readonly steps?: ((index: number) => StepSink | undefined) | undefined;
  /** Platform ids of the apps that get their access keys from the UEM Client of a device. */
  readonly askingApps?: ((index: number) => readonly string[]) | undefined;
  /** Way to the server; TLS sockets unless set. */
  readonly transport?: ((planned: PlannedDevice, keyStore: TlsKeyStore) => UemTransport) | undefined;
}

/** One emulated device: the real client library over an emulated operating system. */
export class FleetDevice {
  readonly planned: PlannedDevice;
  readonly #client: UemClient;
  readonly #os: EmulatedOperatingSystem;
  readonly #surroundings: FleetSurroundings;
  readonly #pushes: PushTracker;
  readonly #steps: DeviceSteps | undefined;

  private constructor(
    planned: PlannedDevice,
    os: EmulatedOperatingSystem,
    client: UemClient,
    pushes: PushTracker,
    surroundings: FleetSurroundings,
    steps: DeviceSteps | undefined,
  ) {
    this.planned = planned;
    this.#os = os;
    this.#client = client;
    this.#pushes = pushes;
    this.#surroundings = surroundings;
    this.#steps = steps;
    this.#listen();
  }

  /** Loads the device from the fleet's store, or takes it new from the factory. @throws ProtocolError `ERR_STORE_*` */
  static async open(planned: PlannedDevice, surroundings: FleetSurroundings): Promise<FleetDevice> {
    const { index, serialNumber, hasDevicePassword, supervised, compromised, system } = planned;
    const { crypto, clock, entropy, draw, contexts } = surroundings;
    const store = surroundings.store.device(index);
    const passwordHash = hasDevicePassword ? toHex(crypto.sha256(draw.bytes(`device password of user ${index}`))) : undefined;
    const options = { serialNumber, passwordHash, supervised, compromised };
    const factory = factoryState(SYSTEMS[system], options, draw.ofDevice(index));
    const operatingSystem = await EmulatedOperatingSystem.open({ store, clock, crypto, factoryState: factory });
    const keyStore = new DerivedKeyStore({ crypto, draw, index });
    const pushes = new PushTracker();
    const sink = surroundings.steps?.(index);
    const steps = sink === undefined ? undefined : new DeviceSteps(sink, clock, crypto);
    const plain = surroundings.transport?.(planned, keyStore) ?? nodeTransport({ keyStore, contexts });
    const client = createUemClient({
      crypto,
      clock,
      entropy,
      store,
      keyStore,
      operatingSystem,
      transport: lossy(plain, planned, pushes, surroundings, steps),
      name: `device-${index}`,
      limits: surroundings.limits,
      trace: sink === undefined ? undefined : (event) => sink.message(event),
      apps: appsOf(planned, surroundings),
      // The emulated user agrees to every notice.
      consent: async () => true,
    });
    return new FleetDevice(planned, operatingSystem, client, pushes, surroundings, steps);
  }

  get state(): ClientState {
    return this.#client.state;
  }

  get deviceId(): string | undefined {
    return this.#client.deviceId;
  }

  /** The emulated device itself. */
  get emulated(): DeviceState {
    return this.#os.state;
  }

  /** Wake-ups that were lost on purpose and are not made up for yet. */
  get lostPushes(): number {
    return this.#pushes.lost;
  }

  /** Finishes what a crash interrupted (F1.5, leaving). */
  async open(options?: CallOptions): Promise<void> {
    try {
      await this.#client.open(options);
    } finally {
      this.#steps?.opened(this.planned, this.#os.state, this.#client.deviceId);
    }
  }

  /** UEM has accepted the device (A6); what is left of its activation needs no credentials (F1.5). */
  get isAccepted(): boolean {
    return this.#client.state === 'activating' && this.#client.deviceId !== undefined;
  }

  /** F1.2 to F1.5. */
  activate(credentials: ActivationCredentials, options?: CallOptions): Promise<void> {
    this.#steps?.credentials(credentials);
    return this.#activation(this.#client.activate(credentials, options));
  }

  /** Goes on with an activation that was broken off after A6 (F1.5). */
  confirm(options?: CallOptions): Promise<void> {
    return this.#activation(this.#client.open(options));
  }

  async #activation(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#steps?.activationFailed(error);
      throw error;
    }
  }

  /** From now on the device is managed (F5). */
  start(): void {
    this.#client.start();
  }

  /** Platform id of the UEM Client, as the emulated operating system reports it to apps. */
  get clientPlatformId(): string {
    return clientPlatformIdOf(this.planned);
  }

  /** The UEM Client serves the app that connects (F3.3), until the listener is closed. @throws ProtocolError `ERR_USAGE_STATE`, `ERR_TRANSPORT_CONNECT` */
  listenForApp(path: string, platformId: string): Promise<AppListener> {
    return listenForApps({ client: this.#client, path, identity: { identify: async () => platformId } });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** What the device has carried out, oldest first, as its own store says. */
  executions(): readonly Execution[] {
    return this.#surroundings.store.deviceEntries(this.planned.index, EXECUTION_PREFIX).map(({ value }) => decodeExecution(value));
  }

  #listen(): void {
    const { observer, clock } = this.#surroundings;
    const { index } = this.planned;
    const client = this.#client;
    const pushes = this.#pushes;
    const steps = this.#steps;
    let pollBeganMs = 0;
    let askedMs = 0;
    let reason: wire.PollReason = 'schedule';
    client.addEventListener('statechange', ({ detail }) => {
      if (detail.state === 'inactive') {
        const recoveredAfterMs = pushes.ended(clock.nowMs());
        if (recoveredAfterMs.length > 0) observer.pushesRecovered(index, recoveredAfterMs);
      }
      steps?.stateChanged(detail, client.deviceId);
      observer.stateChanged(index, detail.state);
    });
    client.addEventListener('wakeup', ({ detail }) => {
      pushes.received(detail.sentAtEpochMs, clock.nowMs());
      observer.pushReceived(index);
    });
    client.addEventListener('poll', ({ detail }) => {
      pollBeganMs = clock.monotonicMs();
      askedMs = pollBeganMs;
      ({ reason } = detail);
      pushes.pollBegan(reason);
    });
    client.addEventListener('command', ({ detail }) => observer.commandReceived(index, toHex(detail.commandId), askedMs));
    client.addEventListener('commanddone', ({ detail }) => {
      askedMs = clock.monotonicMs();
      steps?.commandDone(detail);
      observer.commandDone(index, toHex(detail.commandId), detail.type, detail.status);
    });
    client.addEventListener('commandanswered', ({ detail }) => observer.commandAnswered(index, toHex(detail.commandId)));
    client.addEventListener('idle', () => {
      const { served, recoveredAfterMs } = pushes.idle(clock.nowMs());
      observer.polled(index, reason, clock.monotonicMs() - pollBeganMs);
      for (const { sinceSentMs, sinceReceivedMs } of served) observer.pushServed(index, sinceSentMs, sinceReceivedMs);
      if (recoveredAfterMs.length > 0) observer.pushesRecovered(index, recoveredAfterMs);
      observer.idle(index);
    });
    client.addEventListener('pollfailed', ({ detail }) => {
      pushes.pollFailed();
      steps?.pollFailed(detail.error, detail.retryInMs);
      observer.pollFailed(index, detail.error);
    });
    client.addEventListener('pushopen', () => observer.pushConnected(index, true));
    client.addEventListener('pushclosed', ({ detail }) => {
      steps?.pushClosed(detail);
      observer.pushConnected(index, false);
    });
    if (steps === undefined) return;
    client.addEventListener('activationprogress', ({ detail }) => steps.activationProgress(detail));
    client.addEventListener('renewed', () => steps.renewed());
    client.addEventListener('renewalfailed', ({ detail }) => steps.renewalFailed(detail.error));
  }
}

/** A device whose apps never ask does not pay for them. */
function appsOf(planned: PlannedDevice, { askingApps }: FleetSurroundings): ReturnType<typeof appEndpoint> | undefined {
  const asking = askingApps?.(planned.index) ?? [];
  if (asking.length === 0) return undefined;
  return appEndpoint({ platformId: clientPlatformIdOf(planned), mayAsk: ({ platformId }) => asking.includes(platformId) });
}

function lossy(
  transport: UemTransport,
  planned: PlannedDevice,
  pushes: PushTracker,
  surroundings: FleetSurroundings,
  steps: DeviceSteps | undefined,
): UemTransport {
  const { pushLoss, lossBudget, draw, start, clock, observer } = surroundings;
  if (pushLoss === 0) return transport;
  let ordinal = 0;
  return withPushLoss(transport, {
    lose: () => {
      const allowed = lossBudget.arrived();
      const unlucky = draw.chance(`push ${planned.index} ${start} ${ordinal++}`, pushLoss);
      return pushes.asleep || (allowed && unlucky);
    },
    onLost: (wakeUp) => {
      steps?.wakeUpLost(wakeUp);
      lossBudget.lost();
      pushes.dropped(clock.nowMs());
      observer.pushDropped(planned.index);
    },
  });
}

import type { Clock, CryptoProvider, Store } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { Command, CommandOutcome, ConfigurationOutcome, DeactivationReason, OperatingSystem, PushService } from '@uemkit/uem-client';
import { configureDevice } from './activation.ts';
import { withoutWorkData } from './behaviours/delete.ts';
import { carryOut, READS_EXECUTIONS } from './carry-out.ts';
import { type DeviceState, decodeDeviceState, encodeDeviceState } from './device-state.ts';
import { appendExecution, newestExecutions } from './execution-log.ts';
import { SYSTEMS } from './systems.ts';

/** Key of the device's state inside its store; the client's own keys begin with `uem/`. */
export const STATE_KEY = 'os/state';

/** What the client calls itself in F1.3. */
export const CLIENT_VERSION = 'uemkit-emulator/1';

export interface EmulatedOperatingSystemOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  /** State of a device that has none saved yet. */
  readonly factoryState: DeviceState;
}

/**
 * An emulated device below the real client. Its state lives in the client's store and changes in the transaction that records the
 * answer (F5.5), so a command takes effect exactly once.
 */
export class EmulatedOperatingSystem implements OperatingSystem {
  readonly pushService: PushService;
  readonly #options: EmulatedOperatingSystemOptions;
  #state: DeviceState;

  private constructor(options: EmulatedOperatingSystemOptions, state: DeviceState) {
    this.#options = options;
    this.#state = state;
    this.pushService = SYSTEMS[state.system].pushService;
  }

  /** Loads the saved state, or begins with the factory state. @throws ProtocolError `ERR_STORE_*` */
  static async open(options: EmulatedOperatingSystemOptions): Promise<EmulatedOperatingSystem> {
    const saved = await options.store.get(STATE_KEY);
    return new EmulatedOperatingSystem(options, saved === undefined ? options.factoryState : decodeDeviceState(saved));
  }

  /** The state as committed. */
  get state(): DeviceState {
    return this.#state;
  }

  /** Those that still go with the version on the device. */
  get activationTypes(): readonly string[] {
    const { system, osVersion } = this.#state;
    const major = Number.parseInt(osVersion, 10);
    return SYSTEMS[system].activationTypes.filter(({ lastMajorVersion = major }) => major <= lastMajorVersion).map(({ name }) => name);
  }

  deviceInfo(): wire.DeviceInfo {
    const { system, osVersion, model, serialNumber, compromised } = this.#state;
    return { platform: system, osVersion, model, clientVersion: CLIENT_VERSION, serialNumber, ...(compromised ? { compromised } : {}) };
  }

  async configure(configuration: wire.DeviceConfiguration): Promise<ConfigurationOutcome> {
    const configured = configureDevice(this.#state, configuration, this.#options.clock.nowMs());
    if ('refusal' in configured) return { status: 'failed', message: configured.refusal };
    return { status: 'completed', ...this.#change(configured.state) };
  }

  async execute(command: Command): Promise<CommandOutcome> {
    const nowMs = this.#options.clock.nowMs();
    const executions = READS_EXECUTIONS.has(command.type) ? await newestExecutions(this.#options.store, this.#state.commandsExecuted) : [];
    const sha256 = (data: Uint8Array): Uint8Array => this.#options.crypto.sha256(data);
    const { state, outcome, leaves = false } = carryOut(this.#state, command, { nowMs, sha256, executions });
    const { status } = outcome;
    const changed = state !== this.#state && JSON.stringify(state) !== JSON.stringify(this.#state);
    const executed = appendExecution(this.#state.commandsExecuted, command.commandId, { type: command.type, status, changed, atMs: nowMs });
    const change = this.#change({ ...state, commandsExecuted: this.#state.commandsExecuted + 1 });
    return { ...outcome, leave: leaves, writes: [...change.writes, ...executed], applied: change.applied };
  }

  async deactivated(reason: DeactivationReason): Promise<void> {
    // A delete command has changed the state already; a refused device gives up its work data now.
    if (reason === 'command' || this.#state.activationType === undefined) return;
    const next = withoutWorkData(this.#state);
    await this.#options.store.commit([{ key: STATE_KEY, value: encodeDeviceState(next) }]);
    this.#state = next;
  }

  #change(next: DeviceState): { readonly writes: readonly [{ readonly key: string; readonly value: Uint8Array }]; applied(): void } {
    return {
      writes: [{ key: STATE_KEY, value: encodeDeviceState(next) }],
      applied: () => {
        this.#state = next;
      },
    };
  }
}

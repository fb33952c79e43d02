import { APP_ACTIVATION_KEY, type AppActivationRecord, isProtocolError, ProtocolError, type Store, writeAppActivation } from '@uemkit/protocol';
import type { ProvisioningData } from '@uemkit/protocol/wire';
import type { TypedCredentials } from '../runtime/dynamics-runtime.ts';
import type { DynamicsRuntimeOptions } from '../runtime/options.ts';
import { FORGET_INSTANCE, instanceOf } from '../state/instance.ts';
import { FORGET_UPDATE, loadUpdate, type SavedUpdate, writeUpdate } from '../state/saved-update.ts';
import { sealedStore } from '../state/sealed-store.ts';
import { loadActivation, recordToRun, requireActivated, wipeActivation } from './activation-keeper.ts';
import { type ActivationStage, runAppActivation } from './app-activation-run.ts';
import { askSiblings } from './key-of-sibling.ts';
import { askUemClient } from './key-of-uem-client.ts';
import type { Siblings } from './sibling-link.ts';

/** There is no key to hand over (F3.6). */
const NO_KEY_STEP = 'F3.6';

export interface ActivationAttempt {
  readonly credentials: TypedCredentials | undefined;
  readonly signal: AbortSignal;
  stage(stage: ActivationStage): void;
}

/** Where a run has ended, and why. */
export interface ActivationFailure {
  readonly stage: ActivationStage;
  readonly error: ProtocolError;
}

/** The activation of one installed app: what is kept of it, and its runs (F3.3 to F3.11). */
export class AppActivation {
  readonly #options: DynamicsRuntimeOptions;
  readonly #sealed: Store;
  #record: AppActivationRecord | undefined;
  #lost: ProtocolError | undefined;
  /** The NOC, or UEM, has refused the key that is kept; a UEM Client or a sibling app may be asked for another one. */
  #keyRefused = false;
  #instanceId: Uint8Array = new Uint8Array(16);

  constructor(options: DynamicsRuntimeOptions) {
    this.#options = options;
    this.#sealed = sealedStore(options);
  }

  get isActivated(): boolean {
    return this.#record?.phase === 'activated';
  }

  get instanceId(): Uint8Array {
    return this.#instanceId.slice();
  }

  /** There is one, and this device cannot open it. */
  get lost(): ProtocolError | undefined {
    return this.#lost;
  }

  /** UEM has used the access key up, or may have. */
  get keyConsumed(): boolean {
    const phase = this.#record?.phase;
    return phase === 'provisioned' || phase === 'activated';
  }

  /** Undefined before F3.11. */
  get data(): ProvisioningData | undefined {
    return this.#record?.data;
  }

  /** For the link and the sessions of the app (F10); undefined until it is activated. */
  get activated(): AppActivationRecord | undefined {
    return this.isActivated ? this.#record : undefined;
  }

  /** @throws ProtocolError `ERR_USAGE_STATE` until the app is activated */
  require(): ProvisioningData {
    return requireActivated(this.#record).data;
  }

  /** What UEM has said since, beside the documents. @throws ProtocolError `ERR_STORE_*`, `ERR_CRYPTO_OPEN` */
  loadUpdate(): Promise<SavedUpdate> {
    return loadUpdate(this.#sealed);
  }

  /** Other documents in the place of those in force, and what belongs to them, in one commit (F5.5). The keys stay. @throws ProtocolError `ERR_STORE_WRITE` */
  async replace(data: ProvisioningData, update: SavedUpdate): Promise<void> {
    const record = { ...requireActivated(this.#record), data };
    await this.#sealed.commit([writeAppActivation(record), writeUpdate(update)]);
    this.#record = record;
  }

  async load(): Promise<void> {
    const kept = await loadActivation(this.#sealed);
    if (kept.kind === 'lost') this.#lost = kept.error;
    if (kept.kind === 'kept') this.#record = kept.record;
    this.#instanceId = this.#record?.instanceId ?? (await this.#instance());
  }

  /** @returns how it failed. @throws what is a mistake of the caller, or of this device */
  async run(attempt: ActivationAttempt): Promise<ActivationFailure | undefined> {
    const before = this.#record;
    const failure = await this.#run(attempt);
    const after = this.#record;
    // Whether UEM has heard the 0x41 of an earlier run is not known here, and each beginning is wrong in one of the two cases. Where one was refused, the other one is what is left.
    const isOtherLeft = failure !== undefined && before?.phase === 'provisioned' && after?.phase === 'provisioned' && after.refused !== before.refused;
    if (!isOtherLeft) return failure;
    // Nor is another key asked for before that.
    this.#keyRefused = false;
    return this.#run(attempt);
  }

  async #run({ credentials, signal, stage: enter }: ActivationAttempt): Promise<ActivationFailure | undefined> {
    const { app } = this.#options;
    let stage: ActivationStage = 'infrastructureActivation';
    try {
      const record = await this.#recordToRun(credentials, signal, enter);
      const { record: activated } = await runAppActivation({
        ...this.#options,
        store: this.#sealed,
        app: { appVersion: app.version, platform: app.platform },
        record,
        stage: (entered) => {
          stage = entered;
          enter(entered);
        },
        signal,
      });
      this.#record = activated;
      this.#keyRefused = false;
      return undefined;
    } catch (error) {
      // What was saved is what the next run begins with.
      const kept = await loadActivation(this.#sealed);
      this.#record = kept.kind === 'kept' ? kept.record : undefined;
      if (!isProtocolError(error) || (error.kind === 'local' && error.code !== 'ERR_DEVICE_CONSENT' && error.step !== NO_KEY_STEP)) throw error;
      this.#keyRefused = error.retry === 'reactivate';
      return { stage, error };
    }
  }

  /** What the next run begins with: typed, kept, of the UEM Client, or of a sibling app. */
  async #recordToRun(credentials: TypedCredentials | undefined, signal: AbortSignal, enter: ActivationAttempt['stage']): Promise<AppActivationRecord> {
    const { app, clock, uemClient, siblings } = this.#options;
    const installed = { appId: app.appId, instanceId: this.#instanceId };
    const record = recordToRun(this.#record, credentials, installed, clock);
    const isSpent = this.#keyRefused && credentials === undefined;
    const isAlone = uemClient === undefined && siblings === undefined;
    if (record !== undefined && !(isSpent && !isAlone)) return record;
    if (isAlone) throw new ProtocolError('ERR_USAGE_STATE', 'the app is not activated, and there is no access key', { step: NO_KEY_STEP });
    enter('infrastructureActivation');
    const run = { ...this.#options, ...installed, store: this.#sealed, signal };
    return uemClient === undefined ? askSiblings(run, siblings as Siblings) : askUemClient(run, uemClient);
  }

  /** Keys of it leave the memory. */
  wipeKeys(): void {
    wipeActivation(this.#record);
    this.#record = undefined;
  }

  /** With the container gone nothing of it is of use, nor the id of the installation. */
  async forget(): Promise<void> {
    this.wipeKeys();
    this.#lost = undefined;
    await this.#options.store.commit([{ key: APP_ACTIVATION_KEY, value: null }, FORGET_UPDATE, FORGET_INSTANCE]);
  }

  /** Another installation, after `forget`. */
  async beginAnew(): Promise<void> {
    this.#instanceId = await this.#instance();
  }

  #instance(): Promise<Uint8Array> {
    return instanceOf(this.#options.store, this.#options.entropy);
  }
}

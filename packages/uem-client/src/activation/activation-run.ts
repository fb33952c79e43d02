import {
  type ActivationEvent,
  type ActivationOutput,
  type ActivationRecord,
  type ActivationRequestResult,
  type ActivationRequestToDriver,
  type ActivationSecret,
  activationInitiator,
  type DeviceCertificates,
  drive,
  isProtocolError,
  ProtocolError,
  type StoreWrite,
  wipe,
} from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ClientContext } from '../ask.ts';
import { destroyFormer } from '../departure.ts';
import type { ActivationPhase } from '../events.ts';
import { flowStepOf } from '../flow-steps.ts';
import type { ConfigurationOutcome } from '../operating-system.ts';
import { deviceAddressOf } from '../state/active-device.ts';
import { placeAnew } from '../state/saved-state.ts';
import type { DeviceIdentity, Trust } from '../transport.ts';
import type { ActivationTarget } from './activation-target.ts';

export interface ActivationRunOptions {
  readonly context: ClientContext;
  readonly certificates: DeviceCertificates;
  readonly record: ActivationRecord;
  /** Both are needed until A6 is accepted. */
  readonly secret?: ActivationSecret | undefined;
  readonly target?: ActivationTarget | undefined;
  /** Key id of the identity that this activation replaces as soon as UEM accepts it. */
  readonly replaces?: string | undefined;
  readonly signal: AbortSignal;
  progress(phase: ActivationPhase): void;
  /** A6 is saved: the device has its id. */
  accepted(deviceId: string): void;
}

/**
 * Runs the activation from where its record stands: A1 to A6 with the activation listener, the configuration, A7 over mutual TLS (F1.3 to F1.5).
 * @returns the record in phase `activated`
 * @throws ProtocolError with its step; `ERR_DEVICE_CONFIGURATION` and `ERR_DEVICE_CONSENT` when the server has been told
 */
export async function runActivation(options: ActivationRunOptions): Promise<ActivationRecord> {
  const output = await new ActivationRun(options).run();
  switch (output.status) {
    case 'activated':
      return output.record;
    case 'configurationFailed':
      throw new ProtocolError('ERR_DEVICE_CONFIGURATION', `the configuration could not be applied: ${output.message}`, { step: 'F1.5' });
    case 'declined':
      throw new ProtocolError('ERR_DEVICE_CONSENT', 'the user did not agree to the notice of the organisation', { step: 'F1.5' });
    case 'refused':
      throw new ProtocolError('ERR_REJECTED_ACTIVATION', 'another device was faster', { step: 'F1.5', details: { reason: output.reason } });
  }
}

class ActivationRun {
  readonly #options: ActivationRunOptions;
  /** Of A6. The identity and trust for A7 are made once, since transports keep connections by them. */
  #device: { readonly address: string; readonly identity: DeviceIdentity; readonly trust: Trust } | undefined;
  #applied: (() => void) | undefined;

  constructor(options: ActivationRunOptions) {
    this.#options = options;
    if (options.record.details !== undefined) this.#received(options.record.details);
  }

  run(): Promise<ActivationOutput> {
    const { context, certificates, record, secret, signal } = this.#options;
    const { crypto, entropy, clock, operatingSystem } = context.options;
    const limits = { answerMs: context.limits.requestTimeoutMs };
    const { activationTypes } = operatingSystem;
    const machine = activationInitiator({ crypto, entropy, certificates, record, secret, limits, activationTypes, deviceInfo: operatingSystem.deviceInfo() });
    const driven = drive(machine, {
      clock,
      store: { commit: (writes) => this.#commit(writes) },
      link: { exchange: (frame, stop) => this.#send(frame, stop) },
      request: (request, stop) => this.#answer(request, stop),
      onEvent: (event) => this.#told(event),
      onFrame: (direction, frame, step) => context.trace(step ?? flowStepOf(frame) ?? 'F1.4', direction, 'uem', frame),
      signal,
    });
    return driven.ended;
  }

  #told(event: ActivationEvent): void {
    if (event.type === 'certificateReceived') {
      this.#received(event.details);
      this.#options.accepted(event.details.deviceId);
    }
    this.#options.progress(event.type);
  }

  #received({ deviceId, certificates, tenantRoots, spkiPins, configuration }: wire.ActivationDetails): void {
    const { keyId } = this.#options.record;
    this.#device = {
      address: deviceAddressOf(configuration, this.#options.context.options.transport),
      identity: { deviceId, certificates, keyId },
      trust: { roots: tenantRoots, spkiPins },
    };
  }

  #send(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { transport } = this.#options.context.options;
    if (wire.peekFrameName(frame) !== 'activationDone') {
      const { target } = this.#options;
      if (target === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'an activation that was not accepted yet needs credentials');
      return transport.exchange({ ...target, service: 'activation', frame, signal });
    }
    if (this.#device === undefined) throw new ProtocolError('ERR_INTERNAL', 'the confirmation comes before the certificate');
    return transport.exchange({ ...this.#device, service: 'device', frame, signal });
  }

  async #commit(writes: readonly StoreWrite[]): Promise<void> {
    const { context, replaces } = this.#options;
    await context.options.store.commit(replaces === undefined ? writes : placeAnew(writes, replaces));
    const applied = this.#applied;
    this.#applied = undefined;
    applied?.();
  }

  async #answer(request: ActivationRequestToDriver, signal: AbortSignal): Promise<ActivationRequestResult> {
    const { crypto, keyStore } = this.#options.context.options;
    switch (request.type) {
      case 'publicKey':
        return { type: 'publicKey', publicKey: await keyStore.publicKey(request.keyId) };
      case 'sign':
        return { type: 'signed', signature: await keyStore.sign(request.keyId, request.message) };
      case 'stretch': {
        const { password, salt, cost, lengthBytes } = request.stretch;
        try {
          return { type: 'stretched', bytes: await crypto.scrypt(password, salt, cost, lengthBytes) };
        } finally {
          wipe(password);
        }
      }
      case 'consent': {
        await destroyFormer(this.#options.context.options);
        const { consent } = this.#options.context.options;
        return { type: 'consented', agreed: consent !== undefined && (await consent(request.notice, signal)) };
      }
      case 'configure':
        await destroyFormer(this.#options.context.options);
        return this.#configure(request.configuration, signal);
    }
  }

  async #configure(configuration: wire.DeviceConfiguration, signal: AbortSignal): Promise<ActivationRequestResult> {
    let outcome: ConfigurationOutcome;
    try {
      outcome = await this.#options.context.options.operatingSystem.configure(configuration, signal);
    } catch (error) {
      signal.throwIfAborted();
      outcome = { status: 'failed', message: isProtocolError(error) ? `${error.code}: ${error.message}` : 'the configuration failed' };
    }
    this.#applied = () => outcome.applied?.();
    const told =
      outcome.status === 'failed'
        ? ({ status: 'failed', message: outcome.message ?? 'the configuration failed' } as const)
        : ({ status: 'completed' } as const);
    return { type: 'configured', outcome: told, writes: outcome.writes ?? [] };
  }
}

import { type Clock, type CryptoProvider, isProtocolError, type ProtocolError, toHex } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { ActivationCredentials, UemClientEvents } from '@uemkit/uem-client';
import type { DeviceState } from '../operating-systems/device-state.ts';
import { SYSTEMS } from '../operating-systems/systems.ts';
import type { PlannedDevice } from '../plan/planned-device.ts';
import type { Traced } from '../trace/redact.ts';
import type { StepNote, StepSink, Trouble } from '../trace/step-sink.ts';

/** States that the server has put the device into against its will. */
const VERDICTS: readonly string[] = ['revoked', 'unknown', 'expired'];
/** Hex digits of a reference, as the journal of the lab writes it. */
const REFERENCE_DIGITS = 16;

/** Tells a sink what happens at a device beside its messages: what its user does, what it decides, what goes wrong. A class: thousands of devices have one. */
export class DeviceSteps {
  readonly #sink: StepSink;
  readonly #clock: Clock;
  readonly #crypto: Pick<CryptoProvider, 'sha256'>;

  constructor(sink: StepSink, clock: Clock, crypto: Pick<CryptoProvider, 'sha256'>) {
    this.#sink = sink;
    this.#clock = clock;
    this.#crypto = crypto;
  }

  /** The device comes up; `deviceId` ties lines of the servers to it. */
  opened({ system, userId, activationType }: PlannedDevice, { model, osVersion, serialNumber }: DeviceState, deviceId: string | undefined): void {
    const { title, agent, pushService } = SYSTEMS[system];
    const body = { system, title, agent, pushService, model, osVersion, serialNumber, userId, activationType, ...(deviceId === undefined ? {} : { deviceId }) };
    this.#inside(undefined, 'device comes up', body);
  }

  /** F1.2: the user types the password, or holds the QR code before the camera. */
  credentials(credentials: ActivationCredentials): void {
    const typed = credentials.kind === 'password' ? { userId: credentials.userId } : {};
    this.#note({ step: 'F1.2', from: 'user', to: 'device', message: credentials.kind === 'password' ? 'user name and password' : 'QR code', body: typed });
  }

  activationProgress({ step, phase }: UemClientEvents['activationprogress']): void {
    if (phase === 'serverAuthenticated' || phase === 'configured') this.#inside(step, PHASES[phase], undefined);
  }

  activationFailed(error: unknown): void {
    this.#trouble(stepOf(error, 'F1.3'), 'activation failed', 'failed', reasonOf(error));
  }

  stateChanged({ state, previous }: UemClientEvents['statechange'], deviceId: string | undefined): void {
    const body = { previous, ...(deviceId === undefined ? {} : { deviceId }) };
    if (VERDICTS.includes(state)) this.#trouble(undefined, `state: ${state}`, 'refused', `UEM says ${state}`, body);
    else this.#inside(undefined, `state: ${state}`, body);
  }

  commandDone({ commandId, type, status, message }: UemClientEvents['commanddone']): void {
    const body = { commandId: this.#reference(commandId), type, status };
    if (status === 'failed') this.#trouble('F5.5', `${type} ${status}`, 'failed', message ?? 'failed', body);
    else this.#inside('F5.5', `${type} ${status}`, body);
  }

  pollFailed(error: ProtocolError, retryInMs: number): void {
    this.#trouble(stepOf(error, 'F5.3'), 'poll failed', 'retry', reasonOf(error), { retryInMs: Math.round(retryInMs) });
  }

  pushClosed({ error, retryInMs }: UemClientEvents['pushclosed']): void {
    if (error !== undefined) this.#trouble('F5.2', 'push connection lost', 'retry', reasonOf(error), { retryInMs: Math.round(retryInMs) });
  }

  /** The notification service has sent a wake-up, and the device never saw it (F5.2). */
  wakeUpLost({ wakeUpId, sentAtEpochMs }: wire.WakeUp): void {
    const reference = this.#reference(wakeUpId);
    const lost = { step: 'F5.2', from: 'notification', to: 'device', message: 'wakeUp', trouble: 'lost', reason: 'lost on purpose' } as const;
    this.#note({ ...lost, body: { wakeUpId: { bytes: wakeUpId.length, sha256: reference }, sentAtEpochMs }, refs: [reference] });
  }

  renewed(): void {
    this.#inside('F5.6', 'certificate renewed', undefined);
  }

  renewalFailed(error: ProtocolError): void {
    this.#trouble('F5.6', 'renewal failed', 'retry', reasonOf(error));
  }

  #reference(id: Uint8Array): string {
    return toHex(this.#crypto.sha256(id)).slice(0, REFERENCE_DIGITS);
  }

  #inside(step: string | undefined, message: string, body: Traced | undefined): void {
    this.#note({ step, from: 'device', to: 'device', message, body });
  }

  #trouble(step: string | undefined, message: string, trouble: Trouble, reason: string, body?: Traced): void {
    this.#note({ step, from: 'device', to: 'device', message, body, trouble, reason });
  }

  #note(note: Omit<StepNote, 'timeMs'>): void {
    this.#sink.noted({ timeMs: this.#clock.nowMs(), ...note });
  }
}

const PHASES = { serverAuthenticated: 'UEM has proved itself', configured: 'configuration applied' } as const;

function stepOf(error: unknown, otherwise: string): string {
  return (isProtocolError(error) ? error.step : undefined) ?? otherwise;
}

/** Messages of errors of the protocol hold no secret. */
function reasonOf(error: unknown): string {
  if (isProtocolError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : 'failed';
}

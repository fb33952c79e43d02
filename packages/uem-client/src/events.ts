import type { AskingApp, ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';

/**
 * What the device is towards UEM.
 * `activating`: an activation was begun and can go on. `active`: managed. `leaving`: a delete command was answered or is about to be, the identity goes next.
 * `inactive`: never activated, or deactivated by a command or by its user. `revoked`, `unknown`: the server said so in mutual TLS; new credentials are needed.
 * `expired`: by the clock of the server the certificate is out of date. That clock may be wrong, so nothing is deleted and the device asks on; it is `active` again when
 * the server takes it, and otherwise has to be activated anew.
 */
export type ClientState = 'inactive' | 'activating' | 'active' | 'leaving' | 'revoked' | 'unknown' | 'expired';

/** What happens inside an activation, in order; each belongs to one flow step. `consented` only where the organisation has a notice. */
export type ActivationPhase =
  | 'credentialsTaken'
  | 'discovered'
  | 'requested'
  | 'serverAuthenticated'
  | 'certificateReceived'
  | 'consented'
  | 'configured'
  | 'confirmed';

/** Flow step of each phase. */
export const ACTIVATION_STEPS: Readonly<Record<ActivationPhase, ActivationStep>> = {
  credentialsTaken: 'F1.2',
  discovered: 'F1.3',
  requested: 'F1.3',
  serverAuthenticated: 'F1.4',
  certificateReceived: 'F1.4',
  consented: 'F1.5',
  configured: 'F1.5',
  confirmed: 'F1.5',
};

/** Flow step of what follows each phase. */
export const STEP_AFTER: Readonly<Record<ActivationPhase, ActivationStep>> = {
  credentialsTaken: 'F1.3',
  discovered: 'F1.3',
  requested: 'F1.4',
  serverAuthenticated: 'F1.4',
  certificateReceived: 'F1.5',
  consented: 'F1.5',
  configured: 'F1.5',
  confirmed: 'F1.5',
};

/** How far an app came that asks for an access key, in order; each belongs to one flow step. */
export type AppPhase = 'admitted' | 'requested' | 'answered' | 'handedOver';
export type AppStep = 'F3.3' | 'F3.4' | 'F3.5' | 'F3.6';

/** Flow step of each phase of an app. */
export const APP_STEPS: Readonly<Record<AppPhase, AppStep>> = { admitted: 'F3.3', requested: 'F3.4', answered: 'F3.5', handedOver: 'F3.6' };

export type ActivationStep = 'F1.2' | 'F1.3' | 'F1.4' | 'F1.5';

/** Events of a `UemClient`: name and `detail`. */
export interface UemClientEvents {
  statechange: { readonly state: ClientState; readonly previous: ClientState };
  activationprogress: { readonly step: ActivationStep; readonly phase: ActivationPhase };
  /** A notification arrived (F5.2). */
  wakeup: { readonly wakeUpId: Uint8Array; readonly sentAtEpochMs: number };
  /** The device asks for pending actions (F5.3). */
  poll: { readonly reason: wire.PollReason };
  /** A command arrived that is to be carried out (F5.4). */
  command: { readonly commandId: Uint8Array; readonly type: string };
  /** The status of a command is recorded and is on its way (F5.5). */
  commanddone: { readonly commandId: Uint8Array; readonly type: string; readonly status: wire.CommandStatus; readonly message?: string | undefined };
  /** The server has the status of a command. */
  commandanswered: { readonly commandId: Uint8Array };
  /** `OperatingSystem.execute` threw; the server is told that the command failed, but not `error`. */
  handlerfailed: { readonly commandId: Uint8Array; readonly type: string; readonly error: unknown };
  /** Nothing is pending (F5.6); `commands` were handed out since the poll. */
  idle: { readonly commands: number; readonly serverTimeEpochS: number; readonly nextPollMs: number };
  /** A poll failed; the client tries again after `retryInMs`. */
  pollfailed: { readonly error: ProtocolError; readonly retryInMs: number };
  /** The push connection is registered. */
  pushopen: { readonly token: Uint8Array };
  /** The push connection is gone or could not be made; the client tries again after `retryInMs`. */
  pushclosed: { readonly error?: ProtocolError | undefined; readonly retryInMs: number };
  /** An app on the device asks for an access key: the policy let it, UEM was asked, UEM gave one, the app has it. */
  appprogress: { readonly step: AppStep; readonly phase: AppPhase; readonly app: AskingApp };
  /** An app got no key; `error.step` says where. `app` is known once its first message was read. */
  appfailed: { readonly error: ProtocolError; readonly platformId: string; readonly app?: AskingApp | undefined };
  /** The certificate was renewed. */
  renewed: { readonly notAfterEpochS: number };
  /** The certificate is due for renewal, but that did not work; it is tried again after the next poll. */
  renewalfailed: { readonly error: ProtocolError };
}

import type { HandedOver, TypedEventTarget } from '@uemkit/protocol';
import type { AppLink } from './app-port.ts';
import type { ActivationCredentials } from './credentials.ts';
import type { ClientState, UemClientEvents } from './events.ts';

/** Options of the calls that take time. */
export interface CallOptions {
  /** Rejects the call with `signal.reason`; what was begun can go on later. */
  readonly signal?: AbortSignal | undefined;
}

/** One managed device: everything that it does towards UEM. */
export interface UemClient extends TypedEventTarget<UemClientEvents> {
  /** `inactive` before `open`. */
  readonly state: ClientState;
  /** Known from A6 on. */
  readonly deviceId: string | undefined;
  /** Loads the saved state. Finishes what a crash interrupted and needs no credentials: the confirmation of an activation (after A6), leaving. */
  open(options?: CallOptions): Promise<void>;
  /**
   * Activates the device (F1.2 to F1.5). After a failure or crash it may be called again with the same credentials and goes on with the same key.
   * @throws ProtocolError whose `step` names the flow step; `ERR_REJECTED_CREDENTIALS` at F1.4 for a wrong password, `ERR_REJECTED_ACTIVATION` for a right one
   * when the server does not activate this device (`details.reason`), `ERR_DEVICE_CONSENT` at F1.5 when the user declined the notice of the organisation
   */
  activate(credentials: ActivationCredentials, options?: CallOptions): Promise<void>;
  /** Begins to manage: push connection, poll after wake-ups and in the regular interval. Does nothing while the device is not active. */
  start(): void;
  /** Ends what `start` began; resolves when the running command and its answer are through or the store has them. */
  stop(): Promise<void>;
  /**
   * Asks for pending actions until idle (F5.3 to F5.6), now. Joins a poll that is under way.
   * @throws ProtocolError; the verdicts revoked, unknown and expired are states too
   */
  poll(options?: CallOptions): Promise<void>;
  /**
   * The user removes the device: tells UEM, then destroys the identity and has the operating system remove what is the organisation's. The state becomes `inactive`.
   * @throws ProtocolError when UEM could not be told; then the device is as it was, and the call may be repeated
   */
  deactivate(options?: CallOptions): Promise<void>;
  /**
   * Serves one app that has connected on the device (F3.3 to F3.6): secure channel, its request to UEM, and the access key back. `platformId`: the app, as the operating
   * system reports it. Closes the link, however it ends. Only while the device is active, and for the apps of `options.apps`.
   * @throws ProtocolError whose `step` names the flow step; `ERR_REJECTED_BUSY` when there are too many; `ERR_TRANSPORT_*` when UEM cannot be reached: the app is
   * told to come again
   */
  acceptApp(link: AppLink, platformId: string, options?: CallOptions): Promise<HandedOver>;
  /** Stops and closes the transport. */
  close(): Promise<void>;
}

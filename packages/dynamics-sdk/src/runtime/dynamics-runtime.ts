import type { HandedOver, ProtocolError, TypedEventTarget } from '@uemkit/protocol';
import type { AppLink } from '../activation/uem-client-link.ts';
import type { ApplicationConfig, AppServer } from '../configuration/application-config.ts';
import type { ApplicationPolicy } from '../configuration/application-policy.ts';
import type { ByteStream, ConnectTarget, WayOptions } from '../connections/way.ts';
import type { SecureContainer } from '../container/container.ts';
import type { PasswordFault, PasswordPolicy } from '../password/policy.ts';
import type { PushChannel } from '../push/push-port.ts';
import type { UpdateResult } from '../updates/update-result.ts';
import type { AuthorizeStage, DynamicsRuntimeEvents } from './events.ts';
import type { Block } from './lock-reasons.ts';
import type { ResultName } from './result-codes.ts';
import type { AuthorizationState } from './transitions.ts';

/** What a person types to activate an app (F3.7). */
export interface TypedCredentials {
  /** E-mail address. */
  readonly userId: string;
  /** 15 characters; blanks, hyphens and small letters are forgiven. */
  readonly accessKey: string;
}

export interface AuthorizeOptions {
  /** Password of the container: the present one, or the first one of a new container. */
  readonly password: string;
  /** Until the app is activated, unless a UEM Client gives the key; not read afterwards. The same key goes on after a failure or a crash. */
  readonly credentials?: TypedCredentials | undefined;
  /** Rejects the call with `signal.reason`; what was begun goes on with the next one. */
  readonly signal?: AbortSignal | undefined;
}

/** How `authorize`, `unlock` and `recover` end. */
export interface AuthorizeResult {
  readonly state: AuthorizationState;
  readonly code: ResultName;
  /** The documented number of `code`. */
  readonly number: number;
  /** The stage that failed. */
  readonly stage?: AuthorizeStage | undefined;
  /** True once UEM has used the access key up, or may have: the next `authorize` needs none, whatever has failed. */
  readonly keyConsumed: boolean;
  /** Why a stage failed; `error.step` is the flow step. */
  readonly error?: ProtocolError | undefined;
  /** With a wrong password. */
  readonly triesLeft?: number | undefined;
  /** What is wrong with a new password. */
  readonly faults?: readonly PasswordFault[] | undefined;
}

/** The runtime of one installed app. Calls run one after the other. */
export interface DynamicsRuntime extends TypedEventTarget<DynamicsRuntimeEvents> {
  readonly state: AuthorizationState;
  /** Why the state is what it is; `GDErrorNone` when there is nothing to say. */
  readonly code: ResultName;
  /** True from the end of F3.11 on. */
  readonly isActivated: boolean;
  /** 16 bytes, one for each installation: stays through updates and restarts, and ends with a wipe. */
  readonly instanceId: Uint8Array;
  /** The open container; undefined while it is closed. A locked app still has it, unless it was locked from the console. */
  readonly container: SecureContainer | undefined;
  /**
   * Activates the app if need be and opens its container, in the documented order (`AuthorizeStage`). Trouble with the network is a result to try again with, and never
   * locks or wipes anything.
   * @throws ProtocolError `ERR_USAGE_ARGUMENT` for what can be no access key, user id or password; `ERR_USAGE_STATE` once it is closed; `ERR_STORE_*` when state cannot be saved
   */
  authorize(options: AuthorizeOptions): Promise<AuthorizeResult>;
  /** The user is back after an idle lock. An app that was locked from the console answers `GDErrorRemoteLockout`: only `recover` opens it. @throws ProtocolError `ERR_USAGE_STATE` before `authorize` */
  unlock(password: string): Promise<AuthorizeResult>;
  /** Lifts a remote lock, with the unlock key of the console and a new password. */
  recover(unlockKey: string, newPassword: string): Promise<AuthorizeResult>;
  /** The present password and a new one, for example after `GDErrorPasswordChangeRequired`. */
  changePassword(current: string, next: string): Promise<AuthorizeResult>;
  /** The user did something: puts the idle lock off. */
  activity(): void;
  /** A snapshot; asks nobody. @throws ProtocolError `ERR_USAGE_STATE` until the app is activated */
  getApplicationConfig(): ApplicationConfig;
  /** A snapshot; asks nobody. @throws ProtocolError `ERR_USAGE_STATE` until the app is activated */
  getApplicationPolicy(): ApplicationPolicy;
  /** The password policy in force. */
  readonly passwordPolicy: PasswordPolicy;
  /** Servers of the app in the order in which to try them: by priority, random within one. */
  serversInOrder(): readonly AppServer[];
  /**
   * Connects to a server by the connectivity profile in force: direct, or through a Proxy of its cluster (F10, F11). A stream that is open ends when the app is locked by
   * console or policy, wiped or closed, or when a new policy leads its host another way. An app that is only hidden (idle, password too old) keeps its network.
   * @throws ProtocolError at once `ERR_APP_NOT_AUTHORIZED`, `ERR_APP_LOCKED`, `ERR_APP_WIPED`, `ERR_CONNECTION_DENIED`; what `ConnectionWay.open` throws; `ERR_REJECTED_BUSY`
   * with too many connections; `ERR_USAGE_STATE` without ways, or once it is closed; an abort rejects with `signal.reason`
   */
  connect(target: ConnectTarget, options?: WayOptions): Promise<ByteStream>;
  /**
   * A token that tells one application server who its user is, to be sent as `X-Good-GD-AuthToken`: the server asks the Proxy (`/verifyGDAuthToken`). Made here, without the
   * network; valid for an hour. Neither the NOC nor a Proxy can make one or read it.
   * @param challenge what the server has asked for: up to 255 printable characters of ASCII, or nothing
   * @param server host name or IP address of that server, without a port
   * @throws ProtocolError `ERR_APP_NOT_AUTHORIZED`, `ERR_APP_LOCKED`, `ERR_APP_WIPED` as `connect`; `ERR_USAGE_ARGUMENT`; `ERR_USAGE_STATE` once it is closed
   */
  getGDAuthToken(challenge: string, server: string): Promise<string>;
  /**
   * The push channel of this name, 1 to 64 characters, the same object for the same name: an application server sends short texts to the app through its Proxy. At most 8 are open.
   * @throws ProtocolError `ERR_USAGE_ARGUMENT`; `ERR_USAGE_STATE` without the option `pushChannels`
   */
  pushChannel(name: string): PushChannel;
  /** Locks the app until `recover` with this unlock key (`generateUnlockKey`; tell it to UEM and forget it). @throws ProtocolError `ERR_USAGE_STATE` while the container is closed */
  executeRemoteLock(unlockKey: string): Promise<void>;
  /** Blocks the app until `executeUnblock` with the same id, over restarts too. */
  executeBlock(block: Omit<Block, 'origin'>): Promise<void>;
  /** Lifts a block of the app itself; those of the console and of policy stay. */
  executeUnblock(id: string): Promise<void>;
  /**
   * Serves another app of this device that has connected: secure channel, the user's consent, its request to UEM, and the access key back (F3.3 to F3.6). `platformId`: that
   * app, as the operating system reports it. Closes the link. Events tell the same.
   * @throws ProtocolError with its step: `ERR_REJECTED_CONSENT` when the user said no, `ERR_APP_*` when this app is not authorized, `ERR_PEER_ALERT` when UEM gives no key;
   * `ERR_USAGE_STATE` without the option `delegate`; an abort rejects with `signal.reason`
   */
  acceptApp(link: AppLink, platformId: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<HandedOver>;
  /**
   * Asks UEM now what has changed (F5.3): configuration, policy, Proxies, entitlement, and what administrators want of this app. It is durable and carried out when the call
   * resolves; events tell it, too. The app asks by itself as well, after `authorize` and by the interval of its policy. Trouble with the network rejects, and changes nothing.
   * @throws ProtocolError `ERR_USAGE_STATE` until the app is activated, or once it is closed; `ERR_APP_WIPED`; `ERR_CONNECTION_*`, `ERR_PEER_*`, `ERR_REJECTED_*`, `ERR_STORE_*`;
   * an abort rejects with `signal.reason`
   */
  update(options?: { readonly signal?: AbortSignal | undefined }): Promise<UpdateResult>;
  /** Destroys the container and the activation. Call it again when it fails. */
  wipe(): Promise<void>;
  /** Closes the container and forgets the keys in memory. */
  close(): Promise<void>;
}

import { certificate, certificates, epochSeconds, id16 } from './common.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { pushToken } from './push.ts';
import { document, numbered, optional, required, structure, text, uint, type WireDocument } from './schema.ts';

/** Why a device polls. */
export type PollReason = 'wakeUp' | 'schedule' | 'activation' | 'resume' | 'request';

/** The device asks for pending actions (F5.3). */
export interface Poll {
  readonly reason: PollReason;
  /** Id of the newest wake-up that led to this poll. */
  readonly wakeUpId?: Uint8Array | undefined;
  /** Present until the server has answered a poll that carried it. */
  readonly pushToken?: Uint8Array | undefined;
}

export const poll: MessageCodec<Poll> = message(
  'poll',
  structure<Poll>({
    reason: required(0, numbered<PollReason>('wakeUp', 'schedule', 'activation', 'resume', 'request')),
    wakeUpId: optional(1, id16),
    pushToken: optional(2, pushToken),
  }),
);

/** The one command of the highest priority (F5.4). The same id always means the same command. */
export interface Command {
  readonly commandId: Uint8Array;
  /** Documented command type, for example `LOCK_DEVICE`. */
  readonly type: string;
  readonly properties: WireDocument;
  readonly issuedAtEpochS: number;
  /** From then on the device answers `failed` and does not carry it out. */
  readonly expiresAtEpochS?: number | undefined;
}

export const command: MessageCodec<Command> = message(
  'command',
  structure<Command>({
    commandId: required(0, id16),
    type: required(1, text(1, 64)),
    properties: required(2, document()),
    issuedAtEpochS: required(3, epochSeconds),
    expiresAtEpochS: optional(4, epochSeconds),
  }),
);

/** How a command ended on the device (F5.5). `deferred`: not now, ask again after `retryAfterS`. */
export type CommandStatus = 'done' | 'failed' | 'deferred';

/** Status of one command (F5.5); answered by the next command or the idle command (F5.6). */
export interface CommandResult {
  readonly commandId: Uint8Array;
  readonly status: CommandStatus;
  /** Error message, present when `failed`. */
  readonly message?: string | undefined;
  /** What was asked for, for example the device information. */
  readonly data?: WireDocument | undefined;
  readonly retryAfterS?: number | undefined;
}

export const commandResult: MessageCodec<CommandResult> = message(
  'commandResult',
  structure<CommandResult>({
    commandId: required(0, id16),
    status: required(1, numbered<CommandStatus>('done', 'failed', 'deferred')),
    message: optional(2, text(1, LIMITS.resultMessageBytes)),
    data: optional(3, document()),
    retryAfterS: optional(4, uint(1, 604_800)),
  }),
);

/** Nothing is pending: the idle command (F5.6). */
export interface Idle {
  /** Regular poll interval and jitter, seconds; the newest values win. */
  readonly pollIntervalS: number;
  readonly pollJitterS: number;
  /** Ask again after this time, because a deferred command becomes due. */
  readonly pollAfterS?: number | undefined;
  readonly serverTimeEpochS: number;
}

export const idle: MessageCodec<Idle> = message(
  'idle',
  structure<Idle>({
    pollIntervalS: required(0, uint(1, 31_536_000)),
    pollJitterS: required(1, uint(0, 31_536_000)),
    pollAfterS: optional(2, uint(1, 604_800)),
    serverTimeEpochS: required(3, epochSeconds),
  }),
);

/** The device renews its certificate over mTLS with the old one. The same bytes get the same answer. */
export interface RenewRequest {
  readonly csr: Uint8Array;
}

export const renewRequest: MessageCodec<RenewRequest> = message('renewRequest', structure<RenewRequest>({ csr: required(0, certificate) }));

export interface RenewResult {
  /** Leaf first. */
  readonly certificates: readonly Uint8Array[];
  readonly tenantRoots: readonly Uint8Array[];
}

export const renewResult: MessageCodec<RenewResult> = message(
  'renewResult',
  structure<RenewResult>({ certificates: required(0, certificates), tenantRoots: required(1, certificates) }),
);

/** Who ended the management of a device from its own side. */
export type DeactivationCause = 'user';

/** The user removes the device in the client (self-deactivation), over mTLS; answered by `acknowledgement`, also when it comes again. */
export interface Deactivate {
  readonly cause: DeactivationCause;
}

export const deactivate: MessageCodec<Deactivate> = message('deactivate', structure<Deactivate>({ cause: required(0, numbered<DeactivationCause>('user')) }));

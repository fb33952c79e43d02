import { type Clock, type CryptoProvider, type Entropy, type KeyStore, ProtocolError, type Store, type TraceSink } from '@uemkit/protocol';
import { type AppPolicy, checkAppPolicy } from './apps/app-policy.ts';
import type { OperatingSystem } from './operating-system.ts';
import type { UemTransport } from './transport.ts';

/** The ports of one device, and what may be set. Nothing has a default that reads the environment. */
export interface UemClientOptions {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Durable state of this device alone; share it with the operating system, see `StateChange`. Keys of the client begin with `uem/` and `management/`. */
  readonly store: Store;
  readonly keyStore: KeyStore;
  readonly transport: UemTransport;
  readonly operatingSystem: OperatingSystem;
  /**
   * Shows the notice of the organisation to the user and resolves with what the user says (F1.5); may take as long as it likes. It is asked again after a crash.
   * Absent: nobody can be asked, and an activation that brings a notice ends as declined.
   */
  readonly consent?: ((notice: string, signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Apps on the device that may ask for access keys (F3.3); absent: none may. */
  readonly apps?: AppPolicy | undefined;
  /** Called with every frame that is sent or received. */
  readonly trace?: TraceSink | undefined;
  /** Name of this device in the trace; default its device id, and `device` before it has one. */
  readonly name?: string | undefined;
  readonly limits?: Partial<UemClientLimits> | undefined;
}

/** Times that a caller may want to change. */
export interface UemClientLimits {
  /** One request and its answer, connecting included. */
  readonly requestTimeoutMs: number;
  /** The poll connection is closed when the device was at rest for this time. */
  readonly releaseAfterMs: number;
  /** First pause after a failure; pauses grow to `backoffMaxMs` with full jitter. */
  readonly backoffBaseMs: number;
  /** Longest pause after failures. */
  readonly backoffMaxMs: number;
}

export const DEFAULT_LIMITS: UemClientLimits = { requestTimeoutMs: 30_000, releaseAfterMs: 1_000, backoffBaseMs: 1_000, backoffMaxMs: 300_000 };

const PORTS = ['crypto', 'clock', 'entropy', 'store', 'keyStore', 'transport', 'operatingSystem'] as const satisfies readonly (keyof UemClientOptions)[];
const OPERATING_SYSTEM_METHODS = ['deviceInfo', 'configure', 'execute', 'deactivated'] as const satisfies readonly (keyof OperatingSystem)[];

/** Callers without types learn at once what is missing. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function checkOptions(options: UemClientOptions): UemClientOptions {
  const missing = PORTS.find((port) => typeof options[port] !== 'object') ?? missingMethod(options.operatingSystem);
  if (missing !== undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `createUemClient needs ${missing}`);
  if (options.apps !== undefined) checkAppPolicy(options.apps);
  return options;
}

function missingMethod(operatingSystem: OperatingSystem): string | undefined {
  const method = OPERATING_SYSTEM_METHODS.find((name) => typeof operatingSystem[name] !== 'function');
  return method && `operatingSystem.${method}`;
}

import type { Clock, CryptoProvider, Entropy, KeyStore, Store, TraceSink } from '@uemkit/protocol';
import type { OperatingSystem } from './operating-system.ts';
import type { UemTransport } from './transport.ts';

/** The ports of one device, and what may be set. Nothing has a default that reads the environment. */
export interface UemClientPorts {
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

import type { AppActivationRecord, Clock, CryptoProvider, Entropy, ProtocolError } from '@uemkit/protocol';

/** Option `services` of a runtime, made by `interAppServices` of `@uemkit/dynamics-sdk/services`. A runtime without it does not pay for it. */
export interface ServicesPart {
  attach(host: ServicesHost): AttachedServices;
}

/** The runtime whose app talks to others. */
export interface ServicesHost {
  readonly ports: { readonly crypto: CryptoProvider; readonly entropy: Entropy; readonly clock: Clock };
  /** Why the app talks to nobody now; undefined when it is authorized. */
  closedBy(): ProtocolError | undefined;
  /** The activation in force; undefined until there is one. */
  activated(): AppActivationRecord | undefined;
}

/** What talks to other apps. */
export interface AttachedServices {
  /** The state of the app has changed: a locked or wiped one talks to nobody any more. */
  review(): void;
  /** The runtime is closed. */
  close(): void;
}

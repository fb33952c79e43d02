import type { LocalPrologue } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { AccessKeyRequest, AccessKeyResponse } from '../../wire/access-key.ts';
import type { AppActivationRecord, DeviceIdentity } from '../app-activation/app-activation-record.ts';
import type { TransitionListener } from '../table.ts';

interface RoleOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** Both apps, as the operating system reports them to this end, see `platformId`. */
  readonly peers: LocalPrologue;
  readonly limits?: { readonly runMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** Who a UEM Client is, by its certificate. */
export interface IdentifiedClient {
  /** Of the leaf, 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly device: DeviceIdentity;
}

export interface KeyHandOverInitiatorOptions extends RoleOptions {
  /** `ipc`: towards the UEM Client. `ipcd`: towards an activated sibling app, which has no certificate. */
  readonly channel:
    | {
        readonly name: 'ipc';
        /**
         * The device of a chain, leaf first; checks the chain where tenant roots are known already. See `clientOfCertificates`.
         * @throws ProtocolError `ERR_CERTIFICATE_*`
         */
        identifyClient(certificates: readonly Uint8Array[]): IdentifiedClient;
      }
    | { readonly name: 'ipcd' };
  readonly appId: string;
  /** 16 random bytes, durable before this run. */
  readonly instanceId: Uint8Array;
}

export interface KeyHandOverResponderOptions extends RoleOptions {
  /** `ipc`: with the chain of the device certificate, leaf first. */
  readonly channel: { readonly name: 'ipc'; readonly certificates: readonly Uint8Array[] } | { readonly name: 'ipcd' };
}

/** An access key for an app, and the activation that it begins: saved, in phase `started`. */
export interface KeyHandOverOutput {
  readonly record: AppActivationRecord;
  readonly keyId: Uint8Array;
  readonly expiryEpochS: number;
}

/** The app that M1 names. */
export interface AskingApp {
  readonly platformId: string;
  readonly appId: string;
  readonly instanceId: Uint8Array;
}

/** What the handing side asks of its owner. */
export type KeyHandOverRequest =
  /** Before M2 shows who we are: may this app, by its platform id, ask here? (F3.3; `ipcd`: it is in the delegate list.) */
  | { readonly type: 'admit'; readonly app: AskingApp }
  /** `ipc` only: signature of the device identity key. */
  | { readonly type: 'sign'; readonly message: Uint8Array }
  /**
   * Sends 0x51 to UEM and gives back its answer (F3.4, F3.5). `ipcd`: the user has approved the app first. `failed` with `ERR_REJECTED_BUSY` tells the app to
   * come again, with `ERR_REJECTED_CONSENT` that the user has said no; any other error is one refusal to it.
   */
  | { readonly type: 'grant'; readonly app: AskingApp; readonly request: AccessKeyRequest };

export type KeyHandOverResult =
  | { readonly type: 'admitted'; readonly admitted: boolean }
  | { readonly type: 'signed'; readonly signature: Uint8Array }
  | { readonly type: 'granted'; readonly response: AccessKeyResponse };

/** To whom a key was handed over. */
export interface HandedOver {
  readonly app: AskingApp;
  readonly keyId: Uint8Array;
}

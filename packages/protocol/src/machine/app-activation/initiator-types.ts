import type { StretchRequest } from '../../key-schedule/stretch.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { NocProvision } from '../../wire/noc.ts';
import type { ProvisioningData } from '../../wire/provisioning.ts';
import type { TransitionListener } from '../table.ts';
import type { AppActivationRecord } from './app-activation-record.ts';

export interface AppActivationInitiatorOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** For the provisioning request: 1 to 32 and 1 to 64 bytes of text. */
  readonly app: { readonly appVersion: string; readonly platform: string };
  /** Saved by an earlier run, or of `newAppActivation`. */
  readonly record: AppActivationRecord;
  readonly limits?: { readonly answerMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** What the app's machine asks of its driver. */
export type AppActivationRequest =
  /** scrypt over a typed key; the driver wipes nothing, the machine does. */
  | { readonly type: 'stretch'; readonly stretch: StretchRequest }
  /**
   * Shows user and organisation, or compares them with managed configuration, before anything is set up (docs/protocol/04-access-key.md, 4.7): who hands out a key
   * for another account is found by nothing else. A driver that does not want them answers `failed` with its error. It is asked again in each run.
   */
  | { readonly type: 'review'; readonly userId: string; readonly tenantId: string; readonly coreId: string };

export type AppActivationRequestResult =
  /** 32 bytes; wiped by the machine. */
  { readonly type: 'stretched'; readonly bytes: Uint8Array } | { readonly type: 'reviewed' };

export type AppActivationEvent =
  /** The NOC knows the key, and gives link and token (F3.8). */
  | { readonly type: 'linked'; readonly link: NocProvision }
  /** mac2 is right: UEM holds the key, too (F3.10). */
  | { readonly type: 'coreAuthenticated' }
  /** The provisioning data is saved (F3.11). It counts from the end of this run on. */
  | { readonly type: 'provisioned'; readonly data: ProvisioningData };

/** An activated app: `record` in phase `activated`, and its two parts. */
export interface AppActivationOutput {
  readonly record: AppActivationRecord;
  readonly link: NocProvision;
  readonly data: ProvisioningData;
}

import type { SecretBytes } from '../../bytes/secret.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { NocSetUp } from '../../wire/noc.ts';
import type { ProvisioningData, ProvisioningRequest } from '../../wire/provisioning.ts';
import type { TransitionListener } from '../table.ts';
import type { DeviceIdentity } from './app-activation-record.ts';

/** What the NOC said around the set-up message. Mutual TLS has proved that it was the NOC. */
export type SetUpEnvelope = Pick<NocSetUp, 'tokenId' | 'keyId' | 'linkId' | 'tenantId'>;

export interface AppActivationResponderOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly coreId: string;
  /** Of the 0x32 whose `setUp` is the first frame that is handed to the machine. */
  readonly envelope: SetUpEnvelope;
  readonly limits?: { readonly handshakeMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** An access key as UEM keeps it. */
export interface AccessKeyFacts {
  /** Canonical id of the user whom the key is for. */
  readonly userId: string;
  /** Stays with the owner, who wipes it. */
  readonly psk: SecretBytes<'psk'>;
  /** Assisted key: the app that 0x51 was for. */
  readonly app?: { readonly appId: string; readonly instanceId: Uint8Array } | undefined;
  /** Assisted key that a UEM Client asked for: the device that authenticated 0x51. */
  readonly device?: DeviceIdentity | undefined;
}

/** Provisioning data without the device, which the machine knows from `AccessKeyFacts`. */
export type AppProvisioning = Omit<ProvisioningData, 'deviceId' | 'deviceKeyHash'>;

/** What UEM's machine asks of its owner. Every answer is durable before it is given. */
export type AppActivationCoreRequest =
  /**
   * F3.10: the key of `envelope.keyId`, when it may be used: known, alive, `tokenId` not consumed, room for one more fresh M1. The charge for this M1 is durable.
   * An answer without `key` fails as a wrong key does; `failed` with `ERR_REJECTED_BUSY` becomes a busy alert.
   */
  | { readonly type: 'identify'; readonly envelope: SetUpEnvelope; readonly userId: string }
  /**
   * F3.11, mac3 is right: binds the key to `tokenId` and `instanceId` (any other is refused), checks what depends on the owner's state (app in the catalogue and
   * assigned), and makes the data with a new master session key, which is not live yet.
   */
  | { readonly type: 'provision'; readonly envelope: SetUpEnvelope; readonly sessionId: Uint8Array; readonly request: ProvisioningRequest }
  /**
   * F3.11, 0x41 is right: consumes the key, makes the master session key live, deletes older ones, and keeps both frames: whoever sends `acknowledgement` for
   * this session again gets `done` again.
   */
  | {
      readonly type: 'consume';
      readonly envelope: SetUpEnvelope;
      readonly sessionId: Uint8Array;
      readonly acknowledgement: Uint8Array;
      readonly done: Uint8Array;
    };

export type AppActivationCoreResult =
  | { readonly type: 'identified'; readonly key?: AccessKeyFacts | undefined }
  | { readonly type: 'provisioned'; readonly data: AppProvisioning }
  | { readonly type: 'consumed' };

export type AppActivationCoreEvent =
  /** M2 goes out; from here on frames come with this session id (16 bytes). */
  | { readonly type: 'replied'; readonly sessionId: Uint8Array }
  /** A wrong mac1 or mac3 under a key that the owner has identified; five kill the key (4.7, rule 2). Told before the run ends. */
  | { readonly type: 'proofFailed'; readonly message: 'M1' | 'M3' };

/** A consumed key. */
export interface AppActivationCoreOutput {
  readonly sessionId: Uint8Array;
  readonly appId: string;
  readonly instanceId: Uint8Array;
}

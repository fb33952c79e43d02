import type { SecretBytes } from '../../bytes/secret.ts';
import type { ProxyPrologue } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { AppReport, AppUpdate, AppUpdateRequest } from '../../wire/app-update.ts';
import type { TransitionListener } from '../table.ts';

export interface AppUpdateInitiatorOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  /** `proxyId` is the core id, `keyExchangeKey` the static key of UEM (0x40, field 9). */
  readonly prologue: ProxyPrologue;
  /** 16 bytes: which master session key. */
  readonly sessionKeyId: Uint8Array;
  /** K_px of this app for the core id (`proxyPsk`); stays with the owner, who wipes it. */
  readonly psk: SecretBytes<'psk'>;
  readonly request: AppUpdateRequest;
  readonly limits?: { readonly runMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** What the app's machine asks of its owner: to make it durable and to carry it out, before UEM hears that it was. */
export interface AppUpdateToApply {
  readonly type: 'apply';
  readonly update: AppUpdate;
}

export interface AppUpdateApplied {
  readonly type: 'applied';
  /** What the app has now. */
  readonly report: AppReport;
}

export interface AppUpdateOutput {
  /** False: UEM may not know yet what was applied; the next request tells it. */
  readonly isConfirmed: boolean;
  /** UEM has more: ask again. */
  readonly more: boolean;
}

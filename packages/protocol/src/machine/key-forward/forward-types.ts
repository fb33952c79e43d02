import type { SecretBytes } from '../../bytes/secret.ts';
import type { ProxyPrologue } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { AccessKeyForward } from '../../wire/access-key.ts';
import type { TransitionListener } from '../table.ts';

export interface KeyForwardInitiatorOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly limits?: { readonly runMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
  /** `proxyId` is the core id, `keyExchangeKey` the static key of UEM (0x40, field 9). */
  readonly prologue: ProxyPrologue;
  /** 16 bytes: which master session key. */
  readonly sessionKeyId: Uint8Array;
  /** K_px of this app for the core id (`proxyPsk`); stays with the owner, who wipes it. */
  readonly psk: SecretBytes<'psk'>;
  /** 0x51: what the new app has asked for, and who it is by the operating system. */
  readonly request: AccessKeyForward;
}

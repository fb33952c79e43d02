import type { SecretBytes } from '../../bytes/secret.ts';
import type { ProxyPrologue } from '../../key-schedule/handshake-prologue.ts';
import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { AccessKeyForward, AccessKeyResponse } from '../../wire/access-key.ts';
import type { HandshakeRequest, HandshakeRequestResult } from '../handshake/handshake-types.ts';
import type { TransitionListener } from '../table.ts';

interface RoleOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly limits?: { readonly runMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

export interface KeyForwardInitiatorOptions extends RoleOptions {
  /** `proxyId` is the core id, `keyExchangeKey` the static key of UEM (0x40, field 9). */
  readonly prologue: ProxyPrologue;
  /** 16 bytes: which master session key. */
  readonly sessionKeyId: Uint8Array;
  /** K_px of this app for the core id (`proxyPsk`); stays with the owner, who wipes it. */
  readonly psk: SecretBytes<'psk'>;
  /** 0x51: what the new app has asked for, and who it is by the operating system. */
  readonly request: AccessKeyForward;
}

export type KeyForwardResponderOptions = RoleOptions;

/** What UEM's machine asks of its owner. */
export type KeyForwardRequest =
  /** Which app is it, and what are its keys? `binding` is `px` with the core id. Without `peer` the run fails as with a wrong key. */
  | Extract<HandshakeRequest, { readonly type: 'identify' }>
  /** An access key under the rules of docs/protocol/04, 4.2. A `failed` answer is told the sibling as an alert. */
  | { readonly type: 'grant'; readonly request: AccessKeyForward };

export type KeyForwardResult =
  | Extract<HandshakeRequestResult, { readonly type: 'identified' }>
  | { readonly type: 'granted'; readonly response: AccessKeyResponse };

/** The key that was given. */
export interface ForwardedKeyOutput {
  readonly keyId: Uint8Array;
}

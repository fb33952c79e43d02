import type { CryptoProvider } from '../../ports/crypto-provider.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { AccessKeyForward, AccessKeyResponse } from '../../wire/access-key.ts';
import type { AppReport, AppUpdate, AppUpdateRequest } from '../../wire/app-update.ts';
import type { HandshakeRequest, HandshakeRequestResult } from '../handshake/handshake-types.ts';
import type { TransitionListener } from '../table.ts';

export interface CoreResponderOptions {
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly limits?: { readonly runMs?: number } | undefined;
  readonly onTransition?: TransitionListener | undefined;
}

/** What UEM's machine asks of its owner. A `failed` answer to any of the last three is told the app as an alert. */
export type CoreRequest =
  /** Which app is it, and what are its keys? `binding` is `px` with the core id. Without `peer` the run fails as with a wrong key. */
  | Extract<HandshakeRequest, { readonly type: 'identify' }>
  /** An access key under the rules of docs/protocol/04, 4.2. */
  | { readonly type: 'grant'; readonly request: AccessKeyForward }
  /** What has changed for this app (4.9). */
  | { readonly type: 'compare'; readonly request: AppUpdateRequest }
  /** The app has done it; to be durable before the app hears that it is known. */
  | { readonly type: 'note'; readonly report: AppReport };

export type CoreResult =
  | Extract<HandshakeRequestResult, { readonly type: 'identified' }>
  | { readonly type: 'granted'; readonly response: AccessKeyResponse }
  | { readonly type: 'compared'; readonly update: AppUpdate }
  | { readonly type: 'noted' };

/** How the session ended well: with the key that was given, or with what the app has now. */
export type CoreOutput = { readonly keyId: Uint8Array } | { readonly report: AppReport };

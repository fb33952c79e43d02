import { epochSeconds, id16, point65 } from './common.ts';
import { type Destination, destinations, host, port } from './destination.ts';
import { type MessageCodec, message } from './frame.ts';
import { LIMITS } from './limits.ts';
import { arrayOf, bytes, required, structure, text } from './schema.ts';

/** What the NOC has to know of a tenant to pass connections on (F10.3); takes the place of what it knew. */
export interface NocTenant {
  readonly tenantId: string;
  /** Ids of its Proxies. */
  readonly proxyIds: readonly string[];
  /** Where the NOC may connect to for apps of this tenant without a Proxy. */
  readonly destinations: readonly Destination[];
}

export const nocTenant: MessageCodec<NocTenant> = message(
  'nocTenant',
  structure<NocTenant>({ tenantId: required(0, text()), proxyIds: required(1, arrayOf(text(), 0, LIMITS.proxies)), destinations: required(2, destinations) }),
);

/** A Proxy lets UEM know that it is there (F10.3a). Its id follows from the key of its certificate, so it cannot be another one's. */
export interface RegisterProxy {
  /** Where Direct Connect reaches it (F11). */
  readonly host: string;
  readonly port: number;
  /** Static key of `px` and `dc`. */
  readonly keyExchangeKey: Uint8Array;
}

export const registerProxy: MessageCodec<RegisterProxy> = message(
  'registerProxy',
  structure<RegisterProxy>({ host: required(0, host), port: required(1, port), keyExchangeKey: required(2, point65) }),
);

/** A Proxy asks UEM for its own key of one activated app. */
export interface ProxyKeyRequest {
  readonly sessionKeyId: Uint8Array;
  readonly instanceId: Uint8Array;
}

export const proxyKeyRequest: MessageCodec<ProxyKeyRequest> = message(
  'proxyKeyRequest',
  structure<ProxyKeyRequest>({ sessionKeyId: required(0, id16), instanceId: required(1, id16) }),
);

/** The key of this app at this Proxy and no other, and where the app may go through it. */
export interface ProxyKeyResponse {
  /** K_px (4.8); secret. */
  readonly key: Uint8Array;
  readonly expiryEpochS: number;
  readonly destinations: readonly Destination[];
}

export const proxyKeyResponse: MessageCodec<ProxyKeyResponse> = message(
  'proxyKeyResponse',
  structure<ProxyKeyResponse>({ key: required(0, bytes(32)), expiryEpochS: required(1, epochSeconds), destinations: required(2, destinations) }),
);

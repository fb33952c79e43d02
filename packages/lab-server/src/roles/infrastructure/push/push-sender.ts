import type * as wire from '@uemkit/protocol/wire';

/** One HTTP request to a notification service. */
export interface ProviderCall {
  readonly method: 'POST';
  /** Path with query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** The connection shows the MDM push certificate. */
  readonly certificate?: true | undefined;
}

export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** Way to the provider APIs: HTTP/2, or in memory. */
export interface ProviderWire {
  /** @throws ProtocolError `ERR_TRANSPORT_*` when there is no answer */
  request(call: ProviderCall): Promise<ProviderAnswer>;
}

/** One wake-up for one device. */
export interface Wake {
  /** In the form of the service. */
  readonly address: string;
  readonly wakeUpId: Uint8Array;
  /** 0: now or never. */
  readonly expiresAtEpochS: number;
}

/** What a service said, and what it means. */
export interface Sent {
  readonly status: wire.NotifyStatus;
  /** For the journal, for example `410 Unregistered`. */
  readonly told: string;
}

/** Client of the provider API of one service. */
export interface PushSender {
  /** @throws ProtocolError `ERR_TRANSPORT_*` */
  send(wake: Wake): Promise<Sent>;
}

/** JSON object of an answer; empty when it is none. */
export function jsonOf({ body }: ProviderAnswer): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

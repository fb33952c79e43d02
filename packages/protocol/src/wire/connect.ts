import { host, port } from './destination.ts';
import { type MessageCodec, message } from './frame.ts';
import { numbered, required, structure, text } from './schema.ts';

/** An app whose link stands wants to reach a Proxy of its tenant (F10.3a); after the answer the NOC passes on bytes. */
export interface ConnectProxy {
  readonly proxyId: string;
}

export const connectProxy: MessageCodec<ConnectProxy> = message('connectProxy', structure<ConnectProxy>({ proxyId: required(0, text()) }));

/** An app whose link stands wants the NOC to connect to a server that the firewall lets it reach (F10.3b). */
export interface ConnectHost {
  /** DNS name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export const connectHost: MessageCodec<ConnectHost> = message('connectHost', structure<ConnectHost>({ host: required(0, host), port: required(1, port) }));

/** What the other end of a connection is now: every byte after this frame is its. */
export interface Connected {
  readonly to: 'proxy' | 'host' | 'push';
}

export const connected: MessageCodec<Connected> = message(
  'connected',
  structure<Connected>({ to: required(0, numbered<Connected['to']>('proxy', 'host', 'push')) }),
);

/**
 * Why the NOC does not connect. `absent`: no such Proxy of this tenant has a connection here; `denied`: the tenant does not allow this target; `unreachable`: the target
 * did not answer; `busy`: too many connections.
 */
export type ConnectRefusal = 'absent' | 'denied' | 'unreachable' | 'busy';

export interface ConnectRefused {
  readonly reason: ConnectRefusal;
}

export const connectRefused: MessageCodec<ConnectRefused> = message(
  'connectRefused',
  structure<ConnectRefused>({ reason: required(0, numbered<ConnectRefusal>('absent', 'denied', 'unreachable', 'busy')) }),
);

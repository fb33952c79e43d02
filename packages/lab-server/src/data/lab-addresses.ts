/** Listeners of a lab. */
export type ListenerName =
  | 'infrastructure'
  | 'infrastructureLink'
  | 'activation'
  | 'devices'
  | 'signedDevices'
  | 'admin'
  | 'notification'
  | 'providers'
  | 'noc'
  | 'nocLink'
  | 'uemLink'
  | 'nodes';

/** All listeners, in the order in which they are shown. */
export const LISTENERS: readonly ListenerName[] = [
  'infrastructure',
  'infrastructureLink',
  'activation',
  'devices',
  'signedDevices',
  'admin',
  'notification',
  'providers',
  'noc',
  'nocLink',
  'uemLink',
  'nodes',
];

/** Where a lab listens, and under which name it is reached. */
export interface LabPlace {
  /** Address to bind. */
  readonly host: string;
  /** Name or address that devices and roles dial. */
  readonly advertise: string;
  /** 0: not chosen yet. */
  readonly ports: Readonly<Record<ListenerName, number>>;
}

/** `host:port` of a listener. */
export function addressOf(place: LabPlace, listener: ListenerName): string {
  return hostAndPort(place.advertise, place.ports[listener]);
}

/** `host:port`; an IPv6 host stands in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Ports that are to be chosen by the system. */
export const ANY_PORTS: LabPlace['ports'] = {
  infrastructure: 0,
  infrastructureLink: 0,
  activation: 0,
  devices: 0,
  signedDevices: 0,
  admin: 0,
  notification: 0,
  providers: 0,
  noc: 0,
  nocLink: 0,
  uemLink: 0,
  nodes: 0,
};

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

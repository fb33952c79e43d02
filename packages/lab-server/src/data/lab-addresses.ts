import type { RoleName } from '../roles/role.ts';

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
  | 'nodes'
  | 'proxyServices';

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
  'proxyServices',
];

/** The role that a listener belongs to. */
export const ROLE_OF_LISTENER: Readonly<Record<ListenerName, RoleName>> = {
  infrastructure: 'infrastructure',
  infrastructureLink: 'infrastructure',
  activation: 'uem',
  devices: 'uem',
  signedDevices: 'uem',
  admin: 'uem',
  notification: 'notification',
  providers: 'notification',
  noc: 'noc',
  nocLink: 'noc',
  uemLink: 'uem',
  nodes: 'noc',
  proxyServices: 'connectivity-node',
};

/** Where a role listens, and under which name it is reached. */
export interface RolePlace {
  /** Address to bind. */
  readonly host: string;
  /** Name or address that devices and roles dial. */
  readonly advertise: string;
}

/** Where a lab listens. */
export interface LabPlace extends RolePlace {
  /** Roles on machines of their own. */
  readonly roles?: Readonly<Partial<Record<RoleName, RolePlace | undefined>>> | undefined;
  /** 0: not chosen yet. */
  readonly ports: Readonly<Record<ListenerName, number>>;
}

/** Where a role listens. */
export function placeOf(place: LabPlace, role: RoleName): RolePlace {
  return place.roles?.[role] ?? place;
}

/** `host:port` of a listener. */
export function addressOf(place: LabPlace, listener: ListenerName): string {
  return hostAndPort(placeOf(place, ROLE_OF_LISTENER[listener]).advertise, place.ports[listener]);
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
  proxyServices: 0,
};

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

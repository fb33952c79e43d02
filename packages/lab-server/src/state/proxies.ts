import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** A Proxy that has made itself known (F10.3). */
export interface ProxyRecord {
  readonly proxyId: string;
  readonly host: string;
  readonly port: number;
  /** Static key of `px` and `dc`, 65 bytes. */
  readonly keyExchangeKey: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo of its certificate. */
  readonly spkiPin: Uint8Array;
  readonly registeredAtMs: number;
}

/** Proxies of a tenant; as many as provisioning data has room for. */
export const MAX_PROXIES = 32;

const proxies: Table<ProxyRecord> = table('proxy');

/** False: there is no room for another one. */
export function putProxy(tx: WriteView, proxy: ProxyRecord): boolean {
  if (proxies.get(tx, proxy.proxyId) === undefined && listProxies(tx).length >= MAX_PROXIES) return false;
  proxies.put(tx, proxy.proxyId, proxy);
  return true;
}

export function listProxies(view: ReadView): readonly ProxyRecord[] {
  return proxies.page(view, { limit: MAX_PROXIES }).map(({ record }) => record);
}

import { listProxies, type ProxyRecord } from '../state/proxies.ts';
import type { LabStore } from '../store/lab-store.ts';

/** Proxies that apps may be led through. */
export interface ProxyAdministration {
  /** Those that have made themselves known (F10.3). */
  proxies(): readonly ProxyRecord[];
}

export function createProxyAdministration({ store }: { readonly store: LabStore }): ProxyAdministration {
  return { proxies: () => store.read(listProxies) };
}

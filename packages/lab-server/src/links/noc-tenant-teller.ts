import { type Clock, sameBytes } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { tenantDestinations } from '../configuration/destinations.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import { listProxies } from '../state/proxies.ts';
import type { LabStore } from '../store/lab-store.ts';
import { createRetryQueue } from './retry-queue.ts';
import { callRole } from './role-call.ts';

/** Tells the NOC which Proxies the tenant has and where apps may go without one (0x3b, F10.3). */
export interface NocTenantTeller {
  /** Something of it may have changed. */
  changed(): void;
  /** Resolves when the NOC has heard it or could not be reached; it is tried again. Never rejects. */
  flush(): Promise<void>;
  close(): void;
}

/** What is sent is read when it is sent: the newest state wins, and a start tells all of it. */
export function createNocTenantTeller(options: {
  readonly clock: Clock;
  readonly store: LabStore;
  readonly noc: RoleLink;
  readonly tenantId: string;
}): NocTenantTeller {
  const { clock, store, noc, tenantId } = options;
  const ALL = 'all';
  /** What the NOC has heard last; a start says it again. */
  let heard: Uint8Array | undefined;
  const queue = createRetryQueue<string>({
    clock,
    batch: 1,
    capacity: 1,
    async send() {
      const message = store.read((view) => ({
        tenantId,
        proxyIds: listProxies(view).map(({ proxyId }) => proxyId),
        destinations: tenantDestinations(view),
      }));
      const frame = wire.nocTenant.encode(message);
      if (heard !== undefined && sameBytes(heard, frame)) return undefined;
      await callRole(noc, 'tenants', frame, wire.acknowledgement);
      heard = frame;
      return undefined;
    },
  });
  return {
    changed: () => queue.put(ALL, ALL),
    flush() {
      heard = undefined;
      queue.put(ALL, ALL);
      return queue.attempt();
    },
    close: () => queue.close(),
  };
}

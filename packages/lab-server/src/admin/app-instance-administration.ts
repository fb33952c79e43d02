import { type AppInstanceRecord, listAppInstances } from '../state/app-instances.ts';
import { listProxies, type ProxyRecord } from '../state/proxies.ts';
import { userByGuid } from '../state/users.ts';
import type { LabStore } from '../store/lab-store.ts';
import { AdminProblem } from './problem.ts';

/** Dynamics apps that are activated, and the Proxies that they may be led through. */
export interface AppInstanceAdministration {
  /** Activated apps of a user, in no order that means anything. Holds keys: not to be shown as it is. @throws AdminProblem `USER_NOT_FOUND` */
  appInstances(userGuid: string): readonly AppInstanceRecord[];
  /** Proxies that have made themselves known (F10.3). */
  proxies(): readonly ProxyRecord[];
}

export function createAppInstanceAdministration({ store }: { readonly store: LabStore }): AppInstanceAdministration {
  return {
    appInstances: (userGuid) =>
      store.read((view) => {
        if (userByGuid(view, userGuid) === undefined) throw new AdminProblem('USER_NOT_FOUND', 'there is no such user');
        return listAppInstances(view, userGuid);
      }),
    proxies: () => store.read(listProxies),
  };
}

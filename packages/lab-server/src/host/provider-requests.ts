import type { Clock } from '@uemkit/protocol';
import type { ActiveFault } from '../faults/faults.ts';
import type { NotificationRole } from '../roles/notification/notification.ts';
import type { ProviderRequest, ProviderResponse } from '../roles/notification/providers/provider.ts';
import type { RoleHost } from './role-host.ts';

/**
 * Requests to the provider APIs of the notification services that run now, with the faults of service `provider`. Never rejects.
 * `undefined`: the connection breaks before the answer.
 */
export type ProviderRequests = (request: ProviderRequest) => Promise<ProviderResponse | undefined>;

export function providerRequests(host: RoleHost<NotificationRole>, clock: Clock): ProviderRequests {
  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void clock.setTimer(delayMs, resolve));

  /** An answer of services that were ended meanwhile is lost with them. */
  const handle = async (request: ProviderRequest, fault?: 'throttle' | 'expire' | 'expireAccess'): Promise<ProviderResponse | undefined> => {
    const asked = host.role;
    const answer = await asked.providers.handle(request, fault);
    return asked === host.role ? answer : undefined;
  };

  const faulty = async (request: ProviderRequest, fault: ActiveFault): Promise<ProviderResponse | undefined> => {
    const { kind, delayMs = 0, status = 500 } = fault;
    const { providers } = host.role;
    const reason = `fault ${fault.id}: ${kind}`;
    switch (kind) {
      case 'drop':
        if (fault.at === 'answer') await handle(request);
        return undefined;
      case 'delay':
        await wait(delayMs);
        return handle(request);
      case 'duplicate':
        await handle(request);
        return handle(request);
      case 'refuse':
        return providers.refuse(request, 'unavailable', reason);
      case 'status':
        return { ...providers.refuse(request, status === 503 ? 'unavailable' : 'failed', reason), status };
      case 'restart':
        await host.restart().catch(() => {});
        return undefined;
      case 'throttle':
      case 'expire':
      case 'expireAccess':
        return handle(request, kind);
      default:
        return handle(request);
    }
  };

  return (request) => {
    const fault = host.meet('provider', host.role.providers.faceOf(request.target)?.service);
    return fault === undefined ? handle(request) : faulty(request, fault);
  };
}

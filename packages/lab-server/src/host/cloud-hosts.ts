import { ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import { addressOf } from '../data/lab-addresses.ts';
import { fromPem } from '../data/pem.ts';
import type { RoleFile } from '../data/role-file.ts';
import type { ListeningRole } from '../node/lab-listeners.ts';
import { createInfrastructureRole } from '../roles/infrastructure/infrastructure.ts';
import type { ProviderWire } from '../roles/infrastructure/push/push-sender.ts';
import { createNotificationRole, type NotificationRole } from '../roles/notification/notification.ts';
import { type PushAccounts, withMore } from '../roles/notification/push-accounts.ts';
import type { DeliveryFault } from '../roles/notification/push-delivery.ts';
import type { PushLimits } from '../roles/notification/push-limits.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { Role } from '../roles/role.ts';
import type { LabStore } from '../store/lab-store.ts';
import type { LabEnvironment } from './lab-environment.ts';
import type { ProviderRequests } from './provider-requests.ts';
import { createRoleHost, type RoleHost } from './role-host.ts';

/** Origin of the provider APIs of a lab. */
export function providerOrigin({ place }: Pick<RoleFile, 'place'>): string {
  return `https://${addressOf(place, 'providers')}`;
}

/** The Infrastructure in its place. @throws ProtocolError `ERR_STORE_READ` when its role file has no push credentials */
export function createInfrastructureHost(
  environment: LabEnvironment,
  options: { readonly store: LabStore; readonly file: RoleFile; readonly provider: ProviderWire },
): Promise<RoleHost<Role>> {
  const { clock, faults, journal } = environment;
  const { store, file, provider } = options;
  const { pushCredentials: credentials } = file;
  if (credentials === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of the Infrastructure has no push credentials');
  const create = (): Promise<Role> => createInfrastructureRole({ ...environment, store, provider, origin: providerOrigin(file), credentials });
  return createRoleHost<Role>({ clock, faults, journal, create, end: () => {} });
}

/** The notification services in their place. @throws ProtocolError `ERR_STORE_READ` when their role file knows no senders */
export function createNotificationHost(
  environment: LabEnvironment,
  options: {
    readonly store: LabStore;
    readonly file: RoleFile;
    readonly limits?: Partial<PushLimits> | undefined;
    readonly more?: Partial<PushAccounts> | undefined;
  },
): Promise<RoleHost<NotificationRole>> {
  const { clock, faults, journal } = environment;
  const { store, file, limits } = options;
  const accounts = file.pushAccounts === undefined ? undefined : withMore(file.pushAccounts, options.more);
  if (accounts === undefined) throw new ProtocolError('ERR_STORE_READ', 'the role file of the notification services knows no senders');
  const deliveryFault = (service: wire.PushServiceName): DeliveryFault | undefined => {
    const fault = faults.meet('notification', 'wakeUp', service);
    if (fault === undefined) return undefined;
    const { id, kind } = fault;
    if (kind === 'delay' || kind === 'reorder') return { id, kind, delayMs: fault.delayMs ?? 0 };
    return kind === 'drop' || kind === 'duplicate' ? { id, kind } : undefined;
  };
  const root = fromPem('CERTIFICATE', file.root);
  return createRoleHost<NotificationRole>({
    clock,
    faults,
    journal,
    create: () => createNotificationRole({ ...environment, store, limits, deliveryFault, accounts, root, origin: providerOrigin(file) }),
    end: (role) => role.close(),
  });
}

/** The provider APIs of the role that runs now, for its listener. */
export function providersOf(host: RoleHost<NotificationRole>, handle: ProviderRequests): NonNullable<ListeningRole['providers']> {
  return { faces: () => host.role.providers, handle };
}

/** Opens a push connection at the notification service that runs now; a fault on service `push` cuts it off at once. */
export function openPush(host: RoleHost<NotificationRole>, socket: PushSocket, source: string): PushConnection {
  if (host.meet('push') === undefined) return host.role.connect(socket, source);
  socket.cutOff();
  return { received: () => {}, alive: () => {}, closed: () => {} };
}

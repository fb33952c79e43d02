import { createInfrastructureRole } from '../roles/infrastructure/infrastructure.ts';
import type { RoleLink } from '../roles/link-guard.ts';
import { createNotificationRole, type NotificationRole } from '../roles/notification/notification.ts';
import type { DeliveryFault } from '../roles/notification/push-delivery.ts';
import type { PushLimits } from '../roles/notification/push-limits.ts';
import type { PushConnection, PushSocket } from '../roles/notification/push-session.ts';
import type { Role } from '../roles/role.ts';
import type { LabStore } from '../store/lab-store.ts';
import type { LabEnvironment } from './lab-environment.ts';
import { createRoleHost, type RoleHost } from './role-host.ts';

/** The Infrastructure in its place. */
export function createInfrastructureHost(environment: LabEnvironment, store: LabStore, notification: RoleLink): Promise<RoleHost<Role>> {
  const { clock, faults, journal } = environment;
  return createRoleHost<Role>({ clock, faults, journal, create: () => createInfrastructureRole({ ...environment, store, notification }), end: () => {} });
}

/** The notification service in its place. */
export function createNotificationHost(environment: LabEnvironment, store: LabStore, limits: Partial<PushLimits> = {}): Promise<RoleHost<NotificationRole>> {
  const { clock, faults, journal } = environment;
  const deliveryFault = (): DeliveryFault | undefined => {
    const fault = faults.meet('notification', 'wakeUp');
    if (fault === undefined) return undefined;
    const { id, kind } = fault;
    if (kind === 'delay') return { id, kind, delayMs: fault.delayMs ?? 0 };
    return kind === 'drop' || kind === 'duplicate' ? { id, kind } : undefined;
  };
  return createRoleHost<NotificationRole>({
    clock,
    faults,
    journal,
    create: async () => createNotificationRole({ ...environment, store, limits, deliveryFault }),
    end: (role) => role.close(),
  });
}

/** Opens a push connection at the notification service that runs now; a fault on service `push` cuts it off at once. */
export function openPush(host: RoleHost<NotificationRole>, socket: PushSocket, source: string): PushConnection {
  if (host.meet('push') === undefined) return host.role.connect(socket, source);
  socket.cutOff();
  return { received: () => {}, alive: () => {}, closed: () => {} };
}

import { AdminProblem } from './problem.ts';

/**
 * Roles of administrators; each may do what the ones before it may. `readOnly` sees, `helpDesk` also locks devices and sets passwords,
 * `administrator` also deletes and configures.
 */
export const ADMIN_ROLES = ['readOnly', 'helpDesk', 'administrator'] as const;

export type AdminRole = (typeof ADMIN_ROLES)[number];

/** Least role of a route; `anybody` needs no credentials. */
export type LeastRole = 'anybody' | AdminRole;

/** Who calls. */
export interface Caller {
  readonly username: string;
  readonly role: AdminRole;
}

/** True when somebody with `role` may do what needs `least`. */
export function mayCall(role: AdminRole, least: LeastRole): boolean {
  return least === 'anybody' || ADMIN_ROLES.indexOf(role) >= ADMIN_ROLES.indexOf(least);
}

/** The refusal of somebody whose role is too small. */
export function roleTooSmall(least: LeastRole): AdminProblem {
  return new AdminProblem('NOT_AUTHORIZED', `this needs the role ${least}`);
}

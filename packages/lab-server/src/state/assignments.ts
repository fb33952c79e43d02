import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, partOf, type Table, table } from './table.ts';

/** Who something is assigned to. */
export type AssigneeKind = 'user' | 'userGroup' | 'deviceGroup';
/** What can be assigned. */
export type AssignableKind = 'policy' | 'profile' | 'application' | 'activationProfile' | 'appPolicy';

/** Whether an application is put on the device, or only offered there. */
export type Disposition = 'REQUIRED' | 'OPTIONAL';

export interface Assignee {
  readonly kind: AssigneeKind;
  readonly id: string;
}

export interface Assignable {
  readonly kind: AssignableKind;
  readonly id: string;
}

/** One thing for one user or group. */
export interface AssignmentRecord {
  readonly assignee: Assignee;
  readonly object: Assignable;
  /** Of an application. */
  readonly disposition?: Disposition | undefined;
  readonly createdAtMs: number;
}

/** Bounded by the policies, profiles, applications and app policies of a tenant. */
const ASSIGNMENTS_PAGE = 2_000;

const assignments: Table<AssignmentRecord> = table('assignment');
const assignedTo: Table<Assignee> = table('assigned-to');

/** Assigns, or changes the disposition. */
export function putAssignment(tx: WriteView, assignment: AssignmentRecord): void {
  const { assignee, object } = assignment;
  assignments.put(tx, joinId(assignee.kind, assignee.id, object.kind, object.id), assignment);
  assignedTo.put(tx, joinId(object.kind, object.id, assignee.kind, assignee.id), assignee);
}

/** False: it was not assigned. */
export function deleteAssignment(tx: WriteView, assignee: Assignee, object: Assignable): boolean {
  const id = joinId(assignee.kind, assignee.id, object.kind, object.id);
  if (assignments.get(tx, id) === undefined) return false;
  assignments.delete(tx, id);
  assignedTo.delete(tx, joinId(object.kind, object.id, assignee.kind, assignee.id));
  return true;
}

export function assignment(view: ReadView, assignee: Assignee, object: Assignable): AssignmentRecord | undefined {
  return assignments.get(view, joinId(assignee.kind, assignee.id, object.kind, object.id));
}

/** Everything that is assigned to one user or group directly. */
export function assignmentsOf(view: ReadView, assignee: Assignee): readonly AssignmentRecord[] {
  return assignments.page(view, { under: partOf(assignee.kind, assignee.id), limit: ASSIGNMENTS_PAGE }).map((row) => row.record);
}

/** Users and groups that something is assigned to, the first `limit` of them. */
export function assigneesOf(view: ReadView, object: Assignable, limit: number): readonly Assignee[] {
  return assignedTo.page(view, { under: partOf(object.kind, object.id), limit }).map((row) => row.record);
}

/** Takes everything away from a user or a group that goes. */
export function deleteAssignmentsOf(tx: WriteView, assignee: Assignee): void {
  for (const { object } of assignmentsOf(tx, assignee)) deleteAssignment(tx, assignee, object);
}

import type { Clock, CryptoProvider, Entropy } from '@uemkit/protocol';
import { type Assignable, assigneesOf } from '../state/assignments.ts';
import { putRecomputeJob } from '../state/recompute-jobs.ts';
import type { LabStore, WriteView } from '../store/lab-store.ts';
import { AdminProblem, type ProblemId } from './problem.ts';

/** What the administration of groups, policies, profiles and applications stands on. */
export interface ConfigurationOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  /** Devices are to be worked out anew, and the jobs for it are durable (F5.2). Must not throw. */
  reconfigure(): void;
  /** Application servers are other ones now: the NOC has to hear where apps may go (F10.3). Must not throw. */
  serversChanged(): void;
}

/** Users and groups whose devices are gone through one by one; for more, the whole tenant is. */
const MOST_SCOPES = 64;

/** Notes that everybody who has `object` is to be worked out anew. */
export function recomputeAssigned(tx: WriteView, object: Assignable, isForEverybody: boolean, nowMs: number): void {
  const assignees = isForEverybody ? [] : assigneesOf(tx, object, MOST_SCOPES + 1);
  if (isForEverybody || assignees.length > MOST_SCOPES) return putRecomputeJob(tx, { kind: 'tenant' }, nowMs);
  for (const { kind, id } of assignees) putRecomputeJob(tx, { kind, id }, nowMs);
}

/** @throws AdminProblem `IN_USE` */
export function requireUnassigned(tx: WriteView, object: Assignable): void {
  const [assignee] = assigneesOf(tx, object, 1);
  if (assignee !== undefined) throw new AdminProblem('IN_USE', `it is assigned to ${assignee.kind} ${assignee.id}; take it away there first`);
}

/** @throws AdminProblem `LIMIT_REACHED` when there are `most` already */
export function requireRoom(rows: readonly unknown[], most: number, what: string): void {
  if (rows.length >= most) throw new AdminProblem('LIMIT_REACHED', `a tenant has at most ${most} ${what}`);
}

/** @throws AdminProblem `id` for nothing */
export function required<T>(found: T | undefined, id: ProblemId, message: string): T {
  if (found === undefined) throw new AdminProblem(id, message);
  return found;
}

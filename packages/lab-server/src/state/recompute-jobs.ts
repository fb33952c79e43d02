import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type Table, table } from './table.ts';

/** Whose devices have to be worked out anew (F5.2). */
export type RecomputeScope = { readonly kind: 'tenant' } | { readonly kind: 'user' | 'userGroup' | 'deviceGroup' | 'device'; readonly id: string };

/** How far a job has come: devices behind this place are left. */
export interface RecomputePlace {
  /** User of a group that is being worked on. */
  readonly user?: string | undefined;
  readonly device?: string | undefined;
}

export interface RecomputeJob {
  readonly scope: RecomputeScope;
  readonly sinceMs: number;
  readonly place?: RecomputePlace | undefined;
}

const jobs: Table<RecomputeJob> = table('recompute');

/** Notes in the transaction of a change that devices have to be worked out anew. The same scope begins again from its start: there is one job for each. */
export function putRecomputeJob(tx: WriteView, scope: RecomputeScope, nowMs: number): void {
  jobs.put(tx, jobId(scope), { scope, sinceMs: nowMs });
}

/** The first job behind `after`, or the very first when there is none. */
export function nextRecomputeJob(view: ReadView, after?: string): { readonly id: string; readonly job: RecomputeJob } | undefined {
  const [row] = jobs.page(view, { after, limit: 1 });
  if (row !== undefined) return { id: row.id, job: row.record };
  return after === undefined ? undefined : nextRecomputeJob(view);
}

export function advanceRecomputeJob(tx: WriteView, job: RecomputeJob, place: RecomputePlace | undefined): void {
  if (place === undefined) jobs.delete(tx, jobId(job.scope));
  else jobs.put(tx, jobId(job.scope), { ...job, place });
}

function jobId(scope: RecomputeScope): string {
  return scope.kind === 'tenant' ? 'tenant' : joinId(scope.kind, scope.id);
}

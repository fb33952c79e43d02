import type { Clock, CryptoProvider } from '@uemkit/protocol';
import { type AdminExchangeObserver, AdminHttp } from '../admin/admin-http.ts';
import type { Connection } from '../admin/connection-file.ts';
import type { Plan } from '../plan/plan.ts';
import { AdminTrace } from '../trace/admin-trace.ts';
import { JournalFollower } from '../trace/journal-follower.ts';
import type { TraceWriter } from '../trace/trace-writer.ts';
import type { Progress } from './progress.ts';
import type { RunState } from './run-state.ts';

export interface RunTraceOptions {
  readonly writer: TraceWriter;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, 'sha256'>;
  readonly plan: Plan;
  readonly state: RunState;
  readonly progress: Progress;
}

/** What a trace of a run holds beside the steps of its devices: the administrator, and what the servers of a lab tell of themselves. */
export class RunTrace {
  readonly observer: AdminExchangeObserver;
  readonly #http: AdminHttp;
  readonly #follower: JournalFollower;

  constructor({ writer, connection, clock, crypto, plan, state, progress }: RunTraceOptions) {
    const indexes = new Map(plan.devices.map(({ userId, index }) => [userId, index]));
    const admin = new AdminTrace({
      clock,
      hash: (data) => crypto.sha256(data),
      indexOfUserId: (userId) => indexes.get(userId),
      write: (line) => writer.line(line),
    });
    for (const { index } of plan.devices) {
      const guid = state.userGuid(index);
      if (guid !== undefined) admin.know(guid, index);
    }
    let told = false;
    this.observer = admin;
    this.#http = new AdminHttp(connection);
    this.#follower = new JournalFollower({
      http: this.#http,
      clock,
      write: (line) => writer.line(line),
      leftOut: (count) => writer.leftOut(count),
      takes: (request, answer) => admin.takes(request, answer),
      failed() {
        if (!told) progress.note('the trace cannot read the journal of the server: the way of pushes between its parts may be missing');
        told = true;
      },
    });
  }

  start(): Promise<void> {
    return this.#follower.start();
  }

  async close(): Promise<void> {
    await this.#follower.close();
    await this.#http.close();
  }
}

import type { Subject } from './subject.ts';

/** One demand of docs/protocol on a server, as a device finds it out. Needs nothing but the subject, and no other case. */
export interface ConformanceCase {
  /** Unique; `--case` takes it. */
  readonly name: string;
  /** Step of the flow, for example `F1.4`. */
  readonly step: string;
  /** Section of docs/protocol that says so, for example `2.7`. */
  readonly section: string;
  /** What has to hold, in one line. */
  readonly demand: string;
  /** Lets time pass (the expiry of a secret), or changes for a moment what holds for all devices of the server; left out unless slow cases are asked for. */
  readonly slow?: boolean;
  /** @throws Mismatch when the server behaves in another way */
  run(subject: Subject): Promise<void>;
}

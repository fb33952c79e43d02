import type { TraceEvent } from '@uemkit/protocol';
import type { Traced } from './redact.ts';

/**
 * The parts that take part in F1, F3, F5, F10 and F11, as they are named in traces. `device`: its UEM Client and its operating system; `sibling`: an app that another one asks;
 * `connectivity-node`: its Proxy.
 */
export type Actor = 'administrator' | 'user' | 'app' | 'sibling' | 'device' | 'uem' | 'infrastructure' | 'notification' | 'noc' | 'connectivity-node';

/**
 * What went wrong with a step. `lost`: it never arrived. `refused`: the peer said no. `failed`: it came to nothing. `retry`: it failed and is tried again.
 * `fault`: somebody caused it on purpose.
 */
export type Trouble = 'lost' | 'refused' | 'failed' | 'retry' | 'fault';

/** A step that is no message of the protocol: what a person does, what happens inside a part, what goes wrong. Holds no secret. */
export interface StepNote {
  /** Wall clock, milliseconds. */
  readonly timeMs: number;
  readonly step?: string | undefined;
  readonly from: Actor;
  readonly to: Actor;
  readonly message: string;
  readonly body?: Traced | undefined;
  readonly trouble?: Trouble | undefined;
  readonly reason?: string | undefined;
  readonly refs?: readonly string[] | undefined;
}

/** Takes every step of one device, in order. Must not throw. */
export interface StepSink {
  /** A message was sent or received. */
  message(event: TraceEvent): void;
  noted(note: StepNote): void;
}

/** One sink for several; undefined for none. */
export function allOf(sinks: readonly (StepSink | undefined)[]): StepSink | undefined {
  const there = sinks.filter((sink) => sink !== undefined);
  if (there.length <= 1) return there[0];
  return {
    message(event) {
      for (const sink of there) sink.message(event);
    },
    noted(note) {
      for (const sink of there) sink.noted(note);
    },
  };
}

/** One message that a part sent or received. */
export interface TraceEvent {
  /** Flow step of shared/flows.md, for example `F5.3`. */
  readonly step: string;
  readonly from: string;
  readonly to: string;
  /** Whole frame as on the wire; who writes it out decodes it and redacts secrets. */
  readonly frame: Uint8Array;
  /** Wall clock, milliseconds. */
  readonly timeMs: number;
}

/** Receives each message that is sent or received. Must not throw. */
export type TraceSink = (event: TraceEvent) => void;

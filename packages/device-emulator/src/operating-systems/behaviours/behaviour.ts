import type * as wire from '@uemkit/protocol/wire';
import type { DeviceState } from '../device-state.ts';
import type { Execution } from '../execution-log.ts';
import type { ActivationTypeDefinition, SystemDefinition } from '../system-definition.ts';

/** What a behaviour may know beside the state of the device. */
export interface BehaviourContext {
  readonly system: SystemDefinition;
  readonly activationType: ActivationTypeDefinition;
  readonly nowMs: number;
  /** The newest commands that the device carried out, oldest first; for the command that asks for logs, else empty. */
  readonly executions: readonly Execution[];
  sha256(data: Uint8Array): Uint8Array;
}

/** How a command ended on the device; becomes the answer of F5.5. */
export type BehaviourOutcome =
  | { readonly status: 'done'; readonly data?: wire.WireDocument }
  | { readonly status: 'failed'; readonly message: string; readonly data?: wire.WireDocument };

export interface BehaviourResult {
  readonly state: DeviceState;
  readonly outcome: BehaviourOutcome;
  /** True: after the answer the device gives up its identity. */
  readonly leaves?: boolean;
}

/** One command type: a pure function from state to state and outcome. A behaviour that fails leaves the state alone. */
export type Behaviour = (state: DeviceState, properties: wire.WireDocument, context: BehaviourContext) => BehaviourResult;

export function done(state: DeviceState, data?: wire.WireDocument): BehaviourResult {
  return { state, outcome: data === undefined ? { status: 'done' } : { status: 'done', data } };
}

export function failed(state: DeviceState, message: string): BehaviourResult {
  return { state, outcome: { status: 'failed', message } };
}

/** A text property; undefined when absent, `null` when it is something else than text. */
export function textProperty(properties: wire.WireDocument, name: string): string | undefined | null {
  const value = properties[name];
  return value === undefined || typeof value === 'string' ? value : null;
}

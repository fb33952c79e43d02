import * as v from 'valibot';
import { type FaultRule, MAX_FAULT_DELAY_MS, MAX_FAULT_RULES } from '../faults/faults.ts';
import { type BodySchema, component, line, type ViewSchema } from './components.ts';

const FAULT_FIELDS = {
  kind: v.picklist(['drop', 'delay', 'duplicate', 'refuse', 'status', 'restart', 'reorder', 'throttle', 'expire', 'expireAccess']),
  role: v.optional(v.picklist(['infrastructure', 'uem', 'notification', 'noc'])),
  service: v.optional(line(64)),
  pushService: v.optional(v.picklist(['apns', 'fcm', 'wns', 'bb10'])),
  share: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
  seed: v.optional(v.pipe(v.number(), v.safeInteger())),
  count: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  at: v.optional(v.picklist(['request', 'answer'])),
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_FAULT_DELAY_MS))),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(500), v.maxValue(599))),
};

/** POST /lab/v1/faults adds a rule. */
export const faultBody: BodySchema<FaultRule> = component('NewFault', v.strictObject(FAULT_FIELDS));

export interface FaultsBody {
  readonly faults: readonly FaultRule[];
}

/** PUT /lab/v1/faults: these rules and no other are in force. */
export const faultsBody: BodySchema<FaultsBody> = v.strictObject({ faults: v.pipe(v.array(faultBody), v.maxLength(MAX_FAULT_RULES)) });

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A fault in force. */
export const faultView: ViewSchema = component('Fault', v.strictObject({ ...FAULT_FIELDS, id: v.string(), seen: count, applied: count }));
export const faultsView: ViewSchema = component('Faults', v.strictObject({ faults: v.array(faultView) }));

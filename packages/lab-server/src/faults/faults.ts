import { ProtocolError } from '@uemkit/protocol';
import type { ServiceName } from '../roles/role.ts';
import { shareSequence } from './random-share.ts';

/** Fault rules in force at once. */
export const MAX_FAULT_RULES = 64;
/** Longest delay that a fault may cause, milliseconds. */
export const MAX_FAULT_DELAY_MS = 600_000;

/**
 * What is done to a request that a rule meets.
 * `drop`: the request is lost before the role sees it (with `at: 'answer'`: the role does its work, the answer is lost).
 * `delay`: the request waits `delayMs`. `duplicate`: the role gets the request twice, the second answer goes out.
 * `refuse`: an alert `busy` comes back. `status`: the HTTP status `status` comes back. `restart`: the role is started again, the request is lost.
 * Of a wake-up alone: `reorder`: it waits until the next one for the same device has gone ahead of it, `delayMs` at most.
 * Of a request to a notification service alone: `throttle`: the limit of the sender is over. `expire`: the token of the device has run out; the device is told.
 * `expireAccess`: what the sender shows (OAuth token, provider token, certificate) has run out.
 * Some services are met only by a rule that names them, with some of the kinds: see `NAMED_SERVICES`.
 */
export type FaultKind = 'drop' | 'delay' | 'duplicate' | 'refuse' | 'status' | 'restart' | 'reorder' | 'throttle' | 'expire' | 'expireAccess';

export interface FaultRule {
  readonly kind: FaultKind;
  /** Meets requests to this role only. */
  readonly role?: string | undefined;
  /** Meets requests to this service only, for example `device`, `activation`, `wakeUp`. */
  readonly service?: string | undefined;
  /** Meets what goes to devices of this notification service only: with service `provider` or `wakeUp`. */
  readonly pushService?: 'apns' | 'fcm' | 'wns' | 'bb10' | undefined;
  /** Share of the requests that it meets, above 0 up to 1; 1 when left out. */
  readonly share?: number | undefined;
  /** Seed of the choice; the same seed chooses the same requests. */
  readonly seed?: number | undefined;
  /** Ends after it has been applied so often. */
  readonly count?: number | undefined;
  readonly at?: 'request' | 'answer' | undefined;
  readonly delayMs?: number | undefined;
  readonly status?: number | undefined;
}

/** A rule in force, and what it did so far. */
export interface ActiveFault extends FaultRule {
  readonly id: string;
  /** Requests that fitted role and service. */
  readonly seen: number;
  /** Requests that it was applied to. */
  readonly applied: number;
}

/** The faults of a lab. */
export interface Faults {
  /** @throws ProtocolError `ERR_USAGE_ARGUMENT` for a rule that makes no sense, or for more than `MAX_FAULT_RULES`. */
  add(rule: FaultRule): ActiveFault;
  list(): readonly ActiveFault[];
  /** True when there was such a rule. */
  remove(id: string): boolean;
  clear(): void;
  /** The first rule that meets this request, already counted. `pushService`: the notification service that it is for. */
  meet(role: string, service: string, pushService?: string): ActiveFault | undefined;
}

/**
 * Services that are met only by a rule that names them, and the kinds that make sense there.
 * `wakeUp`: the way from the notification service to the device; `drop` loses the wake-up for good. `push`: a device opens its push connection.
 * `px`: a connection of an app to UEM itself, through the NOC.
 * `admin`: the admin REST API, the lab's own routes apart, so that nobody locks himself out.
 */
export const NAMED_SERVICES: Readonly<Record<string, readonly FaultKind[]>> = {
  wakeUp: ['drop', 'delay', 'duplicate', 'reorder'],
  push: ['drop'],
  px: ['drop'],
  admin: ['drop', 'delay', 'status'],
};

/** Services that frames of peers go to; a record, so that a service that is added cannot be forgotten here. */
const FRAME_SERVICES: Readonly<Record<ServiceName, true>> = {
  discovery: true,
  registrations: true,
  notifications: true,
  activation: true,
  device: true,
  apps: true,
  accessKeys: true,
  setUp: true,
  envelopes: true,
  tenants: true,
  channels: true,
  proxies: true,
};

/** Every service that a rule may name: `provider` are requests of senders to the notification services. */
const SERVICES: readonly string[] = [...Object.keys(FRAME_SERVICES), 'provider', ...Object.keys(NAMED_SERVICES)];

/** Kinds that mean something at one service only. */
const SERVICE_OF: Readonly<Partial<Record<FaultKind, string>>> = { reorder: 'wakeUp', throttle: 'provider', expire: 'provider', expireAccess: 'provider' };
/** Services where `pushService` says something. */
const OF_A_PUSH_SERVICE: readonly (string | undefined)[] = ['wakeUp', 'provider'];

interface Slot {
  readonly id: string;
  readonly rule: FaultRule;
  readonly next: () => number;
  seen: number;
  applied: number;
}

/** An empty set of faults. */
export function createFaults(): Faults {
  // BOUNDED by MAX_FAULT_RULES.
  let slots: Slot[] = [];
  let created = 0;
  const view = (slot: Slot): ActiveFault => ({ id: slot.id, ...slot.rule, seen: slot.seen, applied: slot.applied });

  return {
    add(rule) {
      checkRule(rule);
      if (slots.length >= MAX_FAULT_RULES) throw new ProtocolError('ERR_USAGE_ARGUMENT', `more than ${MAX_FAULT_RULES} faults`);
      created += 1;
      const slot: Slot = { id: `fault-${created}`, rule: { ...rule }, next: shareSequence(rule.seed ?? created), seen: 0, applied: 0 };
      slots.push(slot);
      return view(slot);
    },
    list: () => slots.map(view),
    remove(id) {
      const before = slots.length;
      slots = slots.filter((slot) => slot.id !== id);
      return slots.length < before;
    },
    clear() {
      slots = [];
    },
    meet(role, service, pushService) {
      for (const slot of slots) {
        const { rule } = slot;
        if (rule.role !== undefined && rule.role !== role) continue;
        if (rule.service !== service && (rule.service !== undefined || Object.hasOwn(NAMED_SERVICES, service))) continue;
        if (rule.pushService !== undefined && rule.pushService !== pushService) continue;
        if (rule.count !== undefined && slot.applied >= rule.count) continue;
        slot.seen += 1;
        if (rule.share !== undefined && slot.next() >= rule.share) continue;
        slot.applied += 1;
        return view(slot);
      }
      return undefined;
    },
  };
}

function checkRule(rule: FaultRule): void {
  const wrong = (field: string, problem: string): never => {
    throw new ProtocolError('ERR_USAGE_ARGUMENT', `fault ${field}: ${problem}`, { details: { field } });
  };
  const { share, count, delayMs, status } = rule;
  if (share !== undefined && !(share > 0 && share <= 1)) wrong('share', 'is not above 0 and up to 1');
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) wrong('count', 'is not a whole number above 0');
  // A rule for a service that there is not would be in force and never meet anything.
  if (rule.service !== undefined && !SERVICES.includes(rule.service)) wrong('service', `is none of ${SERVICES.join(', ')}`);
  const needed = SERVICE_OF[rule.kind];
  if (needed !== undefined && rule.service !== needed) wrong('service', `is ${needed} for kind ${rule.kind}`);
  if (rule.pushService !== undefined && !OF_A_PUSH_SERVICE.includes(rule.service)) wrong('pushService', 'belongs to service wakeUp or provider');
  if (rule.kind === 'delay' || rule.kind === 'reorder' ? !(delayMs !== undefined && delayMs >= 0 && delayMs <= MAX_FAULT_DELAY_MS) : delayMs !== undefined) {
    wrong('delayMs', `belongs to kinds delay and reorder and is from 0 to ${MAX_FAULT_DELAY_MS}`);
  }
  if (rule.kind === 'status' ? !(status !== undefined && Number.isInteger(status) && status >= 500 && status <= 599) : status !== undefined) {
    wrong('status', 'belongs to kind status and is from 500 to 599');
  }
  const kinds = rule.service !== undefined && Object.hasOwn(NAMED_SERVICES, rule.service) ? NAMED_SERVICES[rule.service] : undefined;
  if (kinds !== undefined && !kinds.includes(rule.kind)) wrong('kind', `is not ${kinds.join(', ')}, as for service ${rule.service}`);
  if (rule.at !== undefined && rule.kind !== 'drop') wrong('at', 'belongs to kind drop');
}

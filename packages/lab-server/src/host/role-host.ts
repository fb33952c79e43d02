import type { Clock } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { ActiveFault, Faults } from '../faults/faults.ts';
import type { Journal, Role, RoleAnswer, RoleRequest } from '../roles/role.ts';

/** What an adapter does with a request: answer it, or lose it as a broken network would. */
export type HostAnswer = RoleAnswer | { readonly status: 'http'; readonly code: number } | { readonly status: 'dropped' };

/** One role in its place: faults are applied to its requests, and it can be started again on its store. */
export interface RoleHost<R extends Role> {
  /** The role that runs now. */
  readonly role: R;
  /** Never throws. */
  exchange(request: RoleRequest): Promise<HostAnswer>;
  /** The fault that this request of an adapter's own kind (REST, push, provider APIs) meets. */
  meet(service: string, pushService?: string): ActiveFault | undefined;
  /** Ends the role and starts it again from what is in its store; all its connections break. Requests that were on their way are lost. */
  restart(): Promise<void>;
  /** Called when the connections of the role have to break. */
  onRestart(listener: () => void): void;
}

export interface RoleHostOptions<R extends Role> {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly journal: Journal;
  create(): Promise<R>;
  /** Ends a role that is replaced. */
  end(role: R): void;
}

/** Starts a role. */
export async function createRoleHost<R extends Role>(options: RoleHostOptions<R>): Promise<RoleHost<R>> {
  const { clock, faults, journal } = options;
  // BOUNDED by the listeners of one role.
  const listeners: (() => void)[] = [];
  let role = await options.create();
  let restarting: Promise<void> | undefined;

  const restart = (): Promise<void> => {
    restarting ??= (async () => {
      options.end(role);
      for (const listener of listeners) listener();
      role = await options.create();
    })().finally(() => {
      restarting = undefined;
    });
    return restarting;
  };

  const wait = (delayMs: number): Promise<void> => new Promise((resolve) => void clock.setTimer(delayMs, resolve));

  const note = (request: RoleRequest, fault: ActiveFault, answer: string): void =>
    journal.record({
      timeMs: clock.nowMs(),
      role: role.name,
      service: request.service,
      request: wire.peekFrameName(request.frame) ?? 'unknown',
      answer,
      source: request.peer.source,
      reason: `fault ${fault.id}: ${fault.kind}`,
    });

  const lost = (request: RoleRequest, fault: ActiveFault): HostAnswer => {
    note(request, fault, 'dropped');
    return { status: 'dropped' };
  };

  /** Hands the request to the role that runs now; an answer of a role that was ended meanwhile is lost with it. */
  const handle = async (request: RoleRequest): Promise<HostAnswer> => {
    if (restarting !== undefined) return { status: 'dropped' };
    const asked = role;
    const answer = await asked.handle(request);
    return asked === role ? answer : { status: 'dropped' };
  };

  const faulty = async (request: RoleRequest, fault: ActiveFault): Promise<HostAnswer> => {
    switch (fault.kind) {
      case 'drop':
        if (fault.at === 'answer') await handle(request);
        return lost(request, fault);
      case 'delay':
        note(request, fault, 'delayed');
        await wait(fault.delayMs ?? 0);
        return handle(request);
      case 'duplicate':
        note(request, fault, 'duplicated');
        await handle(request);
        return handle(request);
      case 'refuse':
        note(request, fault, 'alert busy');
        return { status: 'answered', frame: wire.alert.encode({ code: 'busy' }) };
      case 'status':
        note(request, fault, String(fault.status));
        return { status: 'http', code: fault.status ?? 500 };
      case 'restart':
        note(request, fault, 'restart');
        // A role that does not come back answers no request either.
        await restart().catch(() => {});
        return { status: 'dropped' };
      default:
        // Kinds that belong to services of their own.
        return handle(request);
    }
  };

  return {
    get role() {
      return role;
    },
    exchange(request) {
      const fault = faults.meet(role.name, request.service);
      return fault === undefined ? handle(request) : faulty(request, fault);
    },
    meet: (service, pushService) => faults.meet(role.name, service, pushService),
    restart,
    onRestart(listener) {
      listeners.push(listener);
    },
  };
}

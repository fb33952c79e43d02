import { type Clock, toHex } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { RoleLink } from '../roles/link-guard.ts';
import { createRetryQueue } from './retry-queue.ts';
import { callRole } from './role-call.ts';

/** Users of one message. */
const BATCH = 1_000;
/** Changes that may wait; a restart sends the whole list again. */
export const MAX_WAITING_CHANGES = 1_000_000;

/** What devices are told of this UEM (F1.3). */
export interface ActivationPlace {
  readonly tenantId: string;
  readonly activationAddress: string;
  readonly spkiPins: readonly Uint8Array[];
}

/** Tells the Infrastructure whose devices are activated here (F1.1): by hash of the user id only. */
export interface Registrar {
  /** Sends the whole list, page by page; what was registered before and is not in it goes. */
  replaceAll(hashes: Iterable<Uint8Array>): Promise<void>;
  add(hash: Uint8Array): void;
  remove(hash: Uint8Array): void;
  /** Tries to hand over everything that waits. Never rejects: what fails is tried again later. */
  flush(): Promise<void>;
  close(): void;
}

interface Change {
  readonly kind: 'add' | 'remove';
  readonly hash: Uint8Array;
}

export function createRegistrar(options: { readonly clock: Clock; readonly infrastructure: RoleLink; readonly place: ActivationPlace }): Registrar {
  const { clock, infrastructure, place } = options;
  let whole: readonly Uint8Array[] | undefined;

  const register = async (message: Omit<wire.RegisterUsers, keyof ActivationPlace>): Promise<void> => {
    await callRole(infrastructure, 'registrations', wire.registerUsers.encode({ ...place, ...message }), wire.acknowledgement);
  };

  /** The whole list goes before any change of it. */
  const sendWhole = async (): Promise<void> => {
    const list = whole;
    if (list === undefined) return;
    let replaceAll = true;
    let add: Uint8Array[] = [];
    for (const hash of list) {
      if (add.push(hash) < BATCH) continue;
      await register({ add, remove: [], replaceAll });
      replaceAll = false;
      add = [];
    }
    await register({ add, remove: [], replaceAll });
    if (whole === list) whole = undefined;
  };

  const queue = createRetryQueue<Change | 'whole'>({
    clock,
    batch: BATCH,
    capacity: MAX_WAITING_CHANGES,
    async send(entries) {
      await sendWhole();
      const changes = entries.filter((entry) => entry !== 'whole');
      const hashes = (kind: Change['kind']): Uint8Array[] => changes.filter((change) => change.kind === kind).map((change) => change.hash);
      if (changes.length > 0) await register({ add: hashes('add'), remove: hashes('remove') });
      return undefined;
    },
  });

  return {
    replaceAll(hashes) {
      whole = [...hashes];
      queue.put('whole', 'whole');
      return queue.attempt();
    },
    add: (hash) => queue.put(toHex(hash), { kind: 'add', hash }),
    remove: (hash) => queue.put(toHex(hash), { kind: 'remove', hash }),
    flush: () => queue.attempt(),
    close: () => queue.close(),
  };
}

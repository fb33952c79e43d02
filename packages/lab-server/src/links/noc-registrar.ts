import { type Clock, type CryptoProvider, fromHex, isProtocolError, userIdHash } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import type { RoleLink } from '../roles/link-guard.ts';
import { accessKeyById } from '../state/access-keys.ts';
import { deleteNocMessage, listNocMessages, type NocMessage, nocMessage } from '../state/noc-outbox.ts';
import type { LabStore, ReadView } from '../store/lab-store.ts';
import { createRetryQueue } from './retry-queue.ts';
import { callRole } from './role-call.ts';

/** Keys that are told one after the other before others have their turn. */
const BATCH = 50;
/** Keys that may wait in memory; the store has them all, and a restart finds them again. */
export const MAX_WAITING_KEYS = 100_000;
const RESUME_PAGE = 500;

/** Tells the NOC what UEM did with access keys (0x35, 0x36, 0x34 of docs/protocol/04) and which links have ended (0x3f of docs/protocol/12). */
export interface NocRegistrar {
  /** A message about this key or link (hex) is durable in the outbox. */
  tell(id: string): void;
  /** Resolves when everything that waits has been told, or the NOC could not be reached. Never rejects. */
  flush(): Promise<void>;
  /** After a start: takes up what was not told before. */
  resume(): Promise<void>;
  close(): void;
}

export interface NocRegistrarOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly store: LabStore;
  /** Way to the NOC. */
  readonly noc: RoleLink;
  readonly tenantId: string;
}

/** What was told is taken out of the outbox only after the NOC's yes: it may be told twice, and never not at all. */
export function createNocRegistrar(options: NocRegistrarOptions): NocRegistrar {
  const { clock, crypto, store, noc, tenantId } = options;

  const frameOf = (view: ReadView, keyId: string, message: NocMessage): Uint8Array | undefined => {
    const id = fromHex(keyId);
    if (message.kind === 'endLink') return wire.nocEndLink.encode({ linkId: id });
    if (message.kind === 'narrowLink') return wire.nocEndLink.encode({ linkId: id, keepsCore: true });
    if (message.kind === 'withdraw') return wire.nocWithdrawKey.encode({ keyId: id });
    if (message.kind === 'used') return wire.nocKeyConsumed.encode({ keyId: id, linkId: fromHex(message.linkId) });
    const key = accessKeyById(view, keyId);
    if (key === undefined) return undefined;
    const { verifier, userId, expiresAtMs } = key;
    const expiryEpochS = Math.ceil(expiresAtMs / 1_000);
    return wire.nocRegisterKey.encode({ verifier, keyId: id, userIdHash: userIdHash(crypto, userId), tenantId, expiryEpochS });
  };

  /** False: the NOC is there and does not take it. */
  const tellOne = async (keyId: string): Promise<boolean> => {
    const due = store.read((view) => {
      const message = nocMessage(view, keyId);
      return message === undefined ? undefined : { kind: message.kind, frame: frameOf(view, keyId, message) };
    });
    if (due === undefined) return true;
    if (due.frame !== undefined) {
      try {
        await callRole(noc, 'accessKeys', due.frame, wire.acknowledgement);
      } catch (error) {
        if (isProtocolError(error) && error.code === 'ERR_PEER_ALERT') return false;
        throw error;
      }
    }
    await store.transaction((tx) => deleteNocMessage(tx, keyId, due.kind));
    return true;
  };

  const queue = createRetryQueue<string>({
    clock,
    batch: BATCH,
    capacity: MAX_WAITING_KEYS,
    async send(keyIds) {
      const refused: string[] = [];
      for (const keyId of keyIds) if (!(await tellOne(keyId))) refused.push(keyId);
      return refused;
    },
  });

  return {
    tell: (keyId) => queue.put(keyId, keyId),
    flush: () => queue.attempt(),
    async resume() {
      let after: string | undefined;
      do {
        const from = after;
        const page = store.read((view) => listNocMessages(view, { after: from, limit: RESUME_PAGE }));
        for (const { id } of page) queue.put(id, id);
        after = page.length < RESUME_PAGE ? undefined : page.at(-1)?.id;
      } while (after !== undefined);
      await queue.attempt();
    },
    close: () => queue.close(),
  };
}

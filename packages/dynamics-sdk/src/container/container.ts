import { type SecretBytes, type StoreWrite, wipe } from '@uemkit/protocol';
import { decodePasswordRecord, encodePasswordRecord, historyTag, PASSWORD_RECORD, usedBefore, withPassword } from '../password/history.ts';
import { type PasswordFault, type PasswordPolicy, passwordFaults, requirePasswordPolicy, typedBytes } from '../password/policy.ts';
import { type PasswordRefusal, tryPassword } from './attempt.ts';
import { Committer } from './committer.ts';
import { type ContainerFiles, FileStore } from './files.ts';
import { encodeGuard, guardKey } from './guard.ts';
import { ContainerKeys } from './keys.ts';
import { Ledger } from './ledger.ts';
import { openFailed } from './open-failed.ts';
import type { ContainerSetUp } from './ports.ts';
import { GUARD_ROW, LEDGER_ROW, PASSWORD_ROW, UNLOCK_ROW } from './rows.ts';
import { sealSlot } from './slot.ts';
import { sweepPending } from './sweep.ts';
import { unlockKeyBytes } from './unlock-key.ts';
import { type ContainerParts, type ContainerValues, containerValues, readRecord } from './values.ts';

export interface NewPassword {
  readonly password: string;
  readonly policy: PasswordPolicy;
}

/** `changed`, or what is wrong with the new password. */
export type PasswordSet = { readonly kind: 'changed' } | { readonly kind: 'refused'; readonly faults: readonly PasswordFault[] };

/** The same, or what became of the present password. */
export type PasswordChange = PasswordSet | PasswordRefusal;

/** An open container. */
export interface SecureContainer {
  readonly values: ContainerValues;
  readonly files: ContainerFiles;
  /** When the password was set, milliseconds since 1970; for `passwordExpired`. */
  passwordChangedMs(): Promise<number>;
  /** Tries the password of the open container, for example when an app was idle: counted as in `ContainerVault.open`. */
  provePassword(password: string): Promise<{ readonly kind: 'right' } | PasswordRefusal>;
  /** Tries the present password, which may cost a try, and sets a new one. Re-encrypts nothing, however much is stored. @throws ProtocolError `ERR_STORE_WRITE` */
  changePassword(change: { readonly current: string; readonly next: string; readonly policy: PasswordPolicy }): Promise<PasswordChange>;
  /** Takes over how many tries a new policy allows; at once, also for tries that were made. @throws ProtocolError `ERR_STORE_WRITE` */
  limitTries(policy: PasswordPolicy): Promise<void>;
  /**
   * Sets the key that opens when there is no password any more, in place of an earlier one. Tell it to UEM and forget it.
   * @param unlockKey as `generateUnlockKey` makes it
   */
  setUnlockKey(unlockKey: string): Promise<void>;
  /** Waits for what has begun and wipes the keys in memory; the vault can open it again. Every call fails afterwards with `ERR_USAGE_STATE`. */
  close(): Promise<void>;
}

/** The container behind `SecureContainer`, with what only the vault calls. */
export class OpenContainer implements SecureContainer {
  readonly values: ContainerValues;
  readonly files: ContainerFiles;
  readonly #options: ContainerSetUp;
  readonly #header: Uint8Array;
  readonly #parts: ContainerParts;
  #isOpen = true;

  private constructor(options: ContainerSetUp, header: Uint8Array, keys: ContainerKeys, ledger: Ledger) {
    this.#options = options;
    this.#header = header;
    this.#parts = { storage: options.storage, keys, committer: new Committer(options, keys, ledger) };
    this.values = containerValues(this.#parts);
    this.files = new FileStore({ ...options, ...this.#parts });
  }

  /** Takes `root` over. @throws ProtocolError `ERR_CRYPTO_OPEN` when the ledger does not open */
  static async open(options: ContainerSetUp, header: Uint8Array, root: SecretBytes<'container root'>): Promise<OpenContainer> {
    const keys = new ContainerKeys(options.crypto, root);
    try {
      const container = new OpenContainer(options, header, keys, Ledger.open(keys, await options.storage.get(LEDGER_ROW)));
      await sweepPending(options.storage, container.#parts.committer);
      return container;
    } catch (error) {
      keys.wipe();
      throw error;
    }
  }

  async passwordChangedMs(): Promise<number> {
    return decodePasswordRecord(await this.#passwordRecord()).changedMs;
  }

  async provePassword(password: string): Promise<{ readonly kind: 'right' } | PasswordRefusal> {
    this.#parts.committer.requireOpen();
    const typed = typedBytes(password);
    const attempt = await tryPassword(this.#options, this.#header, typed);
    wipe(typed);
    if (attempt.kind !== 'right') return attempt;
    wipe(attempt.root);
    return { kind: 'right' };
  }

  async changePassword({
    current,
    next,
    policy,
  }: {
    readonly current: string;
    readonly next: string;
    readonly policy: PasswordPolicy;
  }): Promise<PasswordChange> {
    const proof = await this.provePassword(current);
    return proof.kind === 'right' ? this.setPassword({ password: next, policy }) : proof;
  }

  /** Sets a password without asking for the present one; `writes` are part of the commit. */
  async setPassword({ password, policy }: NewPassword, writes: readonly StoreWrite[] = []): Promise<PasswordSet> {
    const faults = passwordFaults(requirePasswordPolicy(policy), password);
    if (faults.length > 0) return { kind: 'refused', faults };
    const { crypto, clock, passwordCost } = this.#options;
    const typed = typedBytes(password);
    try {
      const record = decodePasswordRecord(await this.#passwordRecord());
      const tag = await historyTag(crypto, this.#parts.keys, record, typed);
      if (usedBefore(crypto, record, policy.history, tag)) return { kind: 'refused', faults: ['used-before'] };
      const slot = await sealSlot(this.#options, { kind: 'password', header: this.#header, cost: passwordCost }, typed, this.#parts.keys.root);
      const guard = await this.#guard(policy);
      await this.#parts.committer.commit({
        records: [{ space: 'i', name: PASSWORD_RECORD, content: encodePasswordRecord(withPassword(record, tag, clock.nowMs())) }],
        writes: [{ key: PASSWORD_ROW, value: slot }, guard, ...writes],
      });
      return { kind: 'changed' };
    } finally {
      wipe(typed);
    }
  }

  async limitTries(policy: PasswordPolicy): Promise<void> {
    requirePasswordPolicy(policy);
    this.#parts.committer.requireOpen();
    await this.#parts.committer.commit({ writes: [await this.#guard(policy)] });
  }

  async setUnlockKey(unlockKey: string): Promise<void> {
    this.#parts.committer.requireOpen();
    const typed = unlockKeyBytes(unlockKey);
    const slot = { kind: 'unlock', header: this.#header, cost: this.#options.passwordCost } as const;
    const value = await sealSlot(this.#options, slot, typed, this.#parts.keys.root);
    wipe(typed);
    await this.#parts.committer.commit({ writes: [{ key: UNLOCK_ROW, value }] });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#parts.committer.close();
    this.#parts.keys.wipe();
  }

  async #passwordRecord(): Promise<Uint8Array> {
    const content = await readRecord(this.#parts, 'i', PASSWORD_RECORD);
    // The ledger has told already when it is missing; the line tells the compiler.
    if (content === undefined) throw openFailed();
    return content;
  }

  /** The container is open, so nobody guesses: the count begins anew. */
  async #guard({ maxTries }: PasswordPolicy): Promise<StoreWrite> {
    const { crypto, deviceKey } = this.#options;
    const key = await guardKey(crypto, deviceKey, this.#header);
    // check: the device key is there
    if (key === undefined) throw openFailed();
    const value = encodeGuard(crypto, key, { tries: 0, maxTries });
    wipe(key);
    return { key: GUARD_ROW, value };
  }
}

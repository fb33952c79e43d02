import { DEFAULT_SCRYPT_COST, isProtocolError, ProtocolError, type SecretBytes, secret, wipe } from '@uemkit/protocol';
import { encodePasswordRecord, historyTag, PASSWORD_RECORD } from '../password/history.ts';
import { type PasswordFault, passwordFaults, requirePasswordPolicy, typedBytes } from '../password/policy.ts';
import { type PasswordRefusal, tryPassword } from './attempt.ts';
import { Committer } from './committer.ts';
import { type NewPassword, OpenContainer, type SecureContainer } from './container.ts';
import { encodeGuard, guardKey } from './guard.ts';
import { CONTAINER_ID_BYTES, encodeHeader, requireHeader } from './header.ts';
import { ContainerKeys } from './keys.ts';
import { Ledger } from './ledger.ts';
import { openFailed } from './open-failed.ts';
import type { ContainerOptions, ContainerSetUp } from './ports.ts';
import { GUARD_ROW, HEADER_ROW, PASSWORD_ROW, UNLOCK_ROW } from './rows.ts';
import { openSlot, sealSlot } from './slot.ts';
import { unlockKeyBytes } from './unlock-key.ts';

/**
 * What is in the storage. `absent`: nothing. `closed`: a password opens it. `revoked`: only the unlock key does. `lost`: rows without a key, as a wipe
 * leaves them that did not come to its end, or a copy on another device: nothing opens it, and `wipe` removes the rest.
 */
export type VaultState = 'absent' | 'closed' | 'revoked' | 'lost';

export type OpenResult = { readonly kind: 'open'; readonly container: SecureContainer } | PasswordRefusal;

export type CreateResult =
  | { readonly kind: 'open'; readonly container: SecureContainer }
  | { readonly kind: 'refused'; readonly faults: readonly PasswordFault[] };

/** `wrong`: not the unlock key. `no-unlock-key`: none is set. */
export type RecoverResult = CreateResult | { readonly kind: 'wrong' } | { readonly kind: 'no-unlock-key' };

/** The secure container of one app, open or not. Calls run one after the other. */
export interface ContainerVault {
  /** @throws ProtocolError `ERR_STORE_READ`, `ERR_STORE_VERSION` */
  state(): Promise<VaultState>;
  /** @throws ProtocolError `ERR_USAGE_STATE` unless the state is `absent`; `ERR_STORE_WRITE` */
  create(first: NewPassword): Promise<CreateResult>;
  /**
   * Tries a password. The try is counted before it is made.
   * @throws ProtocolError `ERR_STORE_WRITE` when the try cannot be counted, `ERR_CRYPTO_OPEN` when the container was changed, `ERR_USAGE_STATE` when it is open or absent
   */
  open(password: string): Promise<OpenResult>;
  /** Opens with the unlock key, sets a new password, and uses the unlock key up. A password that is refused leaves everything as it was. */
  recover(unlockKey: string, next: NewPassword): Promise<RecoverResult>;
  /** Remote lock: the password opens nothing any more. An open container stays open. @throws ProtocolError `ERR_USAGE_STATE` when there is no unlock key to open it again */
  revokePassword(): Promise<void>;
  /** Tells the unlock key that is set from any other one, and says nothing of it; undefined: none is set, or it was used. */
  unlockKeyTag(): Promise<Uint8Array | undefined>;
  /**
   * Destroys the container: keys in memory, device key, slots, then the storage. It goes on where one step fails, and fails with the error of the first;
   * call it again then, and after a crash when the state is `lost`. What was copied before does not open either.
   */
  wipe(): Promise<void>;
  /** Closes the container and the storage. */
  close(): Promise<void>;
}

/**
 * @example
 * const vault = containerVault({ crypto, entropy, clock, storage: openContainerStorage({ directory }), deviceKey: fileDeviceKey(path, { crypto, entropy }) })
 * const created = await vault.create({ password, policy: DEFAULT_PASSWORD_POLICY })
 */
export function containerVault(options: ContainerOptions): ContainerVault {
  const vault = new Vault({ ...options, passwordCost: options.passwordCost ?? DEFAULT_SCRYPT_COST });
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work);
    tail = result.catch(() => {});
    return result;
  };
  return {
    state: () => inTurn(() => vault.state()),
    create: (first) => inTurn(() => vault.create(first)),
    open: (password) => inTurn(() => vault.open(password)),
    recover: (unlockKey, next) => inTurn(() => vault.recover(unlockKey, next)),
    revokePassword: () => inTurn(() => vault.revokePassword()),
    unlockKeyTag: () => inTurn(() => vault.unlockKeyTag()),
    wipe: () => inTurn(() => vault.wipe()),
    close: () => inTurn(() => vault.close()),
  };
}

class Vault {
  readonly #options: ContainerSetUp;
  #container: OpenContainer | undefined;

  constructor(options: ContainerSetUp) {
    this.#options = options;
  }

  async state(): Promise<VaultState> {
    const { storage, deviceKey } = this.#options;
    const value = await storage.get(HEADER_ROW);
    if (value === undefined) return (await storage.keys({ prefix: '', limit: 1 })).length === 0 ? 'absent' : 'lost';
    const header = requireHeader(value);
    if ((await deviceKey.mac(header)) === undefined) return 'lost';
    if ((await storage.get(PASSWORD_ROW)) !== undefined) return 'closed';
    return (await storage.get(UNLOCK_ROW)) === undefined ? 'lost' : 'revoked';
  }

  async create({ password, policy }: NewPassword): Promise<CreateResult> {
    const faults = passwordFaults(requirePasswordPolicy(policy), password);
    if (faults.length > 0) return { kind: 'refused', faults };
    // check: nothing is overwritten
    if ((await this.state()) !== 'absent') throw new ProtocolError('ERR_USAGE_STATE', 'there is a container already');
    const { crypto, entropy, clock, deviceKey, passwordCost } = this.#options;
    await deviceKey.create();
    const header = encodeHeader(entropy.randomBytes(CONTAINER_ID_BYTES));
    const root = secret<'container root'>(entropy.randomBytes(32));
    const typed = typedBytes(password);
    const keys = new ContainerKeys(crypto, root);
    try {
      const slot = await sealSlot(this.#options, { kind: 'password', header, cost: passwordCost }, typed, root);
      const guarding = await guardKey(crypto, deviceKey, header);
      // The slot could not be sealed then; the line tells the compiler.
      if (guarding === undefined) throw openFailed();
      const guard = encodeGuard(crypto, guarding, { tries: 0, maxTries: policy.maxTries });
      wipe(guarding);
      const first = { changedMs: clock.nowMs(), salt: entropy.randomBytes(16), cost: passwordCost, tags: [] };
      const tags = [await historyTag(crypto, keys, first, typed)];
      const committer = new Committer(this.#options, keys, new Ledger());
      const made = committer.commit({
        records: [{ space: 'i', name: PASSWORD_RECORD, content: encodePasswordRecord({ ...first, tags }) }],
        writes: [
          { key: HEADER_ROW, value: header },
          { key: PASSWORD_ROW, value: slot },
          { key: GUARD_ROW, value: guard },
        ],
      });
      await made.finally(() => committer.close());
      return await this.#opened(header, secret(root.slice()));
    } finally {
      wipe(typed);
      keys.wipe();
    }
  }

  async open(password: string): Promise<OpenResult> {
    this.#requireClosed();
    const typed = typedBytes(password);
    try {
      const header = await this.#header();
      const attempt = await tryPassword(this.#options, header, typed);
      return attempt.kind === 'right' ? await this.#opened(header, attempt.root) : attempt;
    } finally {
      wipe(typed);
    }
  }

  async recover(unlockKey: string, next: NewPassword): Promise<RecoverResult> {
    this.#requireClosed();
    const typed = unlockKeyBytes(unlockKey);
    try {
      const header = await this.#header();
      const slot = await this.#options.storage.get(UNLOCK_ROW);
      if (slot === undefined) return { kind: 'no-unlock-key' };
      // check: the device key is there
      if ((await this.#options.deviceKey.mac(header)) === undefined) throw openFailed();
      const root = await openSlot(this.#options, { kind: 'unlock', header }, typed, slot).catch((error: unknown) => {
        if (isProtocolError(error) && error.code === 'ERR_CRYPTO_OPEN') return undefined;
        throw error;
      });
      if (root === undefined) return { kind: 'wrong' };
      const { container } = await this.#opened(header, root);
      const set = await container.setPassword(next, [{ key: UNLOCK_ROW, value: null }]).catch(async (error: unknown) => {
        await container.close();
        throw error;
      });
      if (set.kind === 'changed') return { kind: 'open', container };
      await container.close();
      return set;
    } finally {
      wipe(typed);
    }
  }

  async revokePassword(): Promise<void> {
    const { storage } = this.#options;
    // check: something opens it again
    if ((await storage.get(UNLOCK_ROW)) === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'there is no unlock key');
    await storage.commit([{ key: PASSWORD_ROW, value: null }]);
  }

  async unlockKeyTag(): Promise<Uint8Array | undefined> {
    const { storage, crypto } = this.#options;
    const slot = await storage.get(UNLOCK_ROW);
    return slot && crypto.sha256(slot);
  }

  async wipe(): Promise<void> {
    const { storage, deviceKey } = this.#options;
    const errors: unknown[] = [];
    const note = (error: unknown): void => {
      errors.push(error);
    };
    await this.#container?.close();
    await deviceKey.destroy().catch(note);
    // What is left when the storage cannot be destroyed; when it can, this is done twice.
    await storage.commit([PASSWORD_ROW, UNLOCK_ROW, GUARD_ROW].map((key) => ({ key, value: null }))).catch(() => {});
    await storage.destroy().catch(note);
    if (errors.length > 0) throw errors[0];
  }

  async close(): Promise<void> {
    await this.#container?.close();
    await this.#options.storage.close();
  }

  async #opened(header: Uint8Array, root: SecretBytes<'container root'>): Promise<{ readonly kind: 'open'; readonly container: OpenContainer }> {
    const container = await OpenContainer.open(this.#options, header, root);
    this.#container = container;
    return { kind: 'open', container };
  }

  #requireClosed(): void {
    // check: one container at a time
    if (this.#container?.isOpen === true) throw new ProtocolError('ERR_USAGE_STATE', 'the container is open already');
  }

  async #header(): Promise<Uint8Array> {
    const value = await this.#options.storage.get(HEADER_ROW);
    // check: there is a container
    if (value === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'there is no container');
    return requireHeader(value);
  }
}

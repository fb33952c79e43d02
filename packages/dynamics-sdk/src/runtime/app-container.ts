import { isProtocolError, ProtocolError } from '@uemkit/protocol';
import type { PasswordRefusal } from '../container/attempt.ts';
import type { SecureContainer } from '../container/container.ts';
import { type ContainerVault, type CreateResult, containerVault, type OpenResult } from '../container/vault.ts';
import { type PasswordPolicy, passwordExpired } from '../password/policy.ts';
import type { DynamicsRuntimeOptions } from './options.ts';
import type { RuntimeInput } from './runtime-machine.ts';
import type { StageFailure } from './stage-failure.ts';

/** The container of one app and its password, and what a password means to the state of the app. */
export class AppContainer {
  readonly #options: DynamicsRuntimeOptions;
  readonly #take: (input: RuntimeInput) => Promise<void>;
  #vault: ContainerVault | undefined;
  #container: SecureContainer | undefined;

  /** `take` gives the machine of states its next input. */
  constructor(options: DynamicsRuntimeOptions, take: (input: RuntimeInput) => Promise<void>) {
    this.#options = options;
    this.#take = take;
  }

  /** Undefined while it is closed. */
  get container(): SecureContainer | undefined {
    return this.#container;
  }

  /** @throws ProtocolError `ERR_USAGE_STATE` */
  require(): SecureContainer {
    if (this.#container === undefined) throw new ProtocolError('ERR_USAGE_STATE', 'the container is closed; authorize opens it');
    return this.#container;
  }

  /** A remote lock has closed it: the answer to every password, whoever asks. */
  async #revoked(): Promise<StageFailure | undefined> {
    if (this.#container !== undefined || (await (await this.#openVault()).state()) !== 'revoked') return undefined;
    return { code: 'GDErrorRemoteLockout' };
  }

  /** Opens it, or makes it with its first password. @returns how that failed */
  async open(password: string, policy: PasswordPolicy): Promise<StageFailure | undefined> {
    const vault = await this.#openVault();
    const state = await vault.state();
    if (state === 'lost') return { code: 'GDErrorSecurityError' };
    if (state === 'revoked') return { code: 'GDErrorRemoteLockout' };
    try {
      const opened = state === 'absent' ? await vault.create({ password, policy }) : await vault.open(password);
      return await this.#opened(opened, policy);
    } catch (error) {
      if (!isProtocolError(error) || error.code !== 'ERR_CRYPTO_OPEN') throw error;
      return { code: 'GDErrorSecurityError', error };
    }
  }

  async #opened(opened: OpenResult | CreateResult, policy: PasswordPolicy): Promise<StageFailure | undefined> {
    if (opened.kind === 'refused') return { code: 'GDErrorPasswordChangeRequired', faults: opened.faults };
    if (opened.kind !== 'open') return this.#refused(opened);
    this.#container = opened.container;
    await this.adopt(policy);
    return undefined;
  }

  /** What a password that did not open means. */
  async #refused(refusal: PasswordRefusal): Promise<StageFailure> {
    if (refusal.kind === 'wrong' && refusal.triesLeft > 0) return { code: 'GDErrorSecurityError', triesLeft: refusal.triesLeft };
    if (refusal.kind !== 'revoked') await this.#take({ type: 'password', outcome: 'exhausted' });
    return { code: 'GDErrorRemoteLockout', triesLeft: 0 };
  }

  /** The user proves the password of the open container. @returns how that failed */
  async unlock(password: string): Promise<StageFailure | undefined> {
    const revoked = await this.#revoked();
    if (revoked !== undefined) return revoked;
    const proof = await this.require().provePassword(password);
    if (proof.kind !== 'right') return this.#refused(proof);
    await this.#take({ type: 'password', outcome: 'right' });
    return undefined;
  }

  /** @returns how that failed */
  async changePassword(current: string, next: string, policy: PasswordPolicy): Promise<StageFailure | undefined> {
    const revoked = await this.#revoked();
    if (revoked !== undefined) return revoked;
    const change = await this.require().changePassword({ current, next, policy });
    if (change.kind === 'refused') return { code: 'GDErrorPasswordChangeRequired', faults: change.faults };
    if (change.kind !== 'changed') return this.#refused(change);
    await this.#take({ type: 'password', outcome: 'changed' });
    return undefined;
  }

  /** Opens it with the unlock key of the console and sets a new password. @returns how that failed */
  async recover(unlockKey: string, password: string, policy: PasswordPolicy): Promise<StageFailure | undefined> {
    await this.close();
    const recovered = await (await this.#openVault()).recover(unlockKey, { password, policy });
    if (recovered.kind === 'refused') return { code: 'GDErrorPasswordChangeRequired', faults: recovered.faults };
    if (recovered.kind !== 'open') return { code: 'GDErrorRemoteLockout' };
    this.#container = recovered.container;
    await this.#take({ type: 'recovered' });
    return undefined;
  }

  /** No password opens it any more; the unlock key does. */
  async revokePassword(): Promise<void> {
    try {
      await (await this.#openVault()).revokePassword();
    } catch (error) {
      // Without an unlock key there is nothing to leave open: no try is left, and only a wipe helps.
      if (!isProtocolError(error) || error.code !== 'ERR_USAGE_STATE') throw error;
    }
  }

  /** Tells the unlock key that is set from any other one; undefined: none is. */
  async unlockKeyTag(): Promise<Uint8Array | undefined> {
    return (await this.#openVault()).unlockKeyTag();
  }

  /** Rules for the password that came later; nothing while it is closed, since opening it looks at them anyway. */
  async adopt(policy: PasswordPolicy): Promise<void> {
    if (this.#container === undefined) return;
    await this.#container.limitTries(policy);
    if (passwordExpired(policy, await this.#container.passwordChangedMs(), this.#options.clock.nowMs())) {
      await this.#take({ type: 'password', outcome: 'expired' });
    }
  }

  async close(): Promise<void> {
    await this.#container?.close();
    this.#container = undefined;
  }

  async wipe(): Promise<void> {
    await (await this.#openVault()).wipe();
    this.#vault = undefined;
    this.#container = undefined;
  }

  /** Closes its storage, too; the runtime ends. */
  async release(): Promise<void> {
    await this.#vault?.close();
    this.#vault = undefined;
    this.#container = undefined;
  }

  /** Calls of the runtime come one after the other, so that no two of them open it. */
  async #openVault(): Promise<ContainerVault> {
    const { crypto, entropy, clock, deviceKey, passwordCost, openStorage } = this.#options;
    this.#vault ??= containerVault({ crypto, entropy, clock, deviceKey, passwordCost, storage: await openStorage() });
    return this.#vault;
  }
}

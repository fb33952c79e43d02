import type { AppActivation } from '../activation/app-activation.ts';
import { entitlementOf } from '../configuration/entitlement.ts';
import { type Rules, rulesOf } from '../configuration/rules.ts';
import type { AppContainer } from './app-container.ts';
import type { AuthorizeOptions, AuthorizeResult } from './dynamics-runtime.ts';
import type { AuthorizeStage, DynamicsRuntimeEvents } from './events.ts';
import { codeOfActivation } from './failure-code.ts';
import { RESULT_CODES } from './result-codes.ts';
import type { RuntimeStates } from './runtime-states.ts';
import type { StageFailure } from './stage-failure.ts';

export const NO_RULES: Rules = rulesOf({});

export interface AuthorizationParts {
  /** Of the installed app, for its entitlement. */
  readonly appVersion: string;
  readonly activation: AppActivation;
  readonly container: AppContainer;
  readonly states: RuntimeStates;
  /** The container was opened: what waited for that is carried out. */
  opened(): Promise<void>;
  /** Ends an activation that is under way. */
  readonly closing: AbortSignal;
  emit<Name extends keyof DynamicsRuntimeEvents>(name: Name, detail: DynamicsRuntimeEvents[Name]): void;
}

/** `authorize` in its documented order of stages, and the rules that it has found. */
export class Authorization {
  readonly #parts: AuthorizationParts;
  #rules: Rules = NO_RULES;

  constructor(parts: AuthorizationParts) {
    this.#parts = parts;
  }

  /** In force. */
  get rules(): Rules {
    return this.#rules;
  }

  /** What the last run has left; it is nothing that `authorize` need not check. */
  async load(): Promise<void> {
    const { activation, states } = this.#parts;
    await activation.load();
    if (!activation.isActivated) return;
    this.#rules = rulesOf(activation.require().policy);
    await states.take({ type: 'policy', policy: this.#rules.runtime });
  }

  async authorize({ password, credentials, signal }: AuthorizeOptions): Promise<AuthorizeResult> {
    const { activation, container, states } = this.#parts;
    if (states.state === 'wiped' && credentials !== undefined) await this.#beginAnew();
    if (states.state !== 'notAuthorized') return this.result();
    if (activation.lost !== undefined) return this.#failed('infrastructureActivation', { code: 'GDErrorSecurityError', error: activation.lost });
    const isNew = !activation.isActivated;
    if (isNew) {
      const failed = await this.#activate(credentials, signal);
      if (failed !== undefined) return failed;
    }
    const refused = await this.#check(isNew);
    if (refused !== undefined) return refused;
    this.#enter('unlock');
    const failure = await container.open(password, this.#rules.password);
    if (failure !== undefined) return this.#isWiped() ? this.result({ ...failure, code: states.code }, 'unlock') : this.#failed('unlock', failure);
    await this.#parts.opened();
    await states.take({ type: 'authorize', outcome: 'authorized' });
    return this.result();
  }

  /** Opens the container with the unlock key instead; the same checks come first. */
  async recover(unlockKey: string, newPassword: string): Promise<AuthorizeResult> {
    const { activation, container, states } = this.#parts;
    if (states.state === 'wiped') return this.result();
    // check: an app that is not activated has nothing to recover
    activation.require();
    if (states.state === 'notAuthorized') {
      const refused = await this.#check(false);
      if (refused !== undefined) return refused;
    }
    const failure = await container.recover(unlockKey, newPassword, this.#rules.password);
    if (failure !== undefined) return this.result(failure);
    await this.#parts.opened();
    await states.take({ type: 'authorize', outcome: 'authorized' });
    return this.result();
  }

  /** F3.3 to F3.11. @returns how it failed */
  async #activate(credentials: AuthorizeOptions['credentials'], signal: AbortSignal | undefined): Promise<AuthorizeResult | undefined> {
    const { activation, states, closing } = this.#parts;
    const failure = await activation.run({
      credentials,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
      stage: (stage) => this.#enter(stage),
    });
    if (failure === undefined) {
      await states.take({ type: 'contact' });
      return undefined;
    }
    const { stage, error } = failure;
    // The only failure that is a verdict: somebody gives this device what is for another one.
    if (error.code === 'ERR_PEER_OTHER_DEVICE') {
      await states.take({ type: 'wipe' });
      return this.result({ code: states.code, error }, stage);
    }
    return this.#failed(stage, { code: codeOfActivation(stage, error, credentials !== undefined), error });
  }

  /** Everything between activation and container. @returns how it ended, when the app is wiped by it */
  async #check(isNew: boolean): Promise<AuthorizeResult | undefined> {
    const { activation, states, appVersion, emit } = this.#parts;
    const data = activation.require();
    this.#enter('entitlementCheck');
    await states.take({ type: 'entitlement', verdict: entitlementOf(data.configuration, appVersion) });
    if (this.#isWiped()) return this.result(undefined, 'entitlementCheck');
    this.#enter('policyUpdate');
    this.#rules = rulesOf(data.policy);
    if (isNew) emit('policyupdate', {});
    this.#enter('policyCheck');
    await states.take({ type: 'policy', policy: this.#rules.runtime });
    if (this.#isWiped()) return this.result(undefined, 'policyCheck');
    this.#enter('configuration');
    if (isNew) emit('configupdate', {});
    return undefined;
  }

  /** Documents that came later (F5.5): what `authorize` checks, without its stages. */
  async adopt(): Promise<void> {
    const { activation, container, states, appVersion } = this.#parts;
    const data = activation.require();
    await states.take({ type: 'entitlement', verdict: entitlementOf(data.configuration, appVersion) });
    if (this.#isWiped()) return;
    const { password } = this.#rules;
    this.#rules = rulesOf(data.policy);
    await states.take({ type: 'policy', policy: this.#rules.runtime });
    // Set anew they begin a new count of wrong passwords, so not without need.
    if (!this.#isWiped() && JSON.stringify(password) !== JSON.stringify(this.#rules.password)) await container.adopt(this.#rules.password);
  }

  /** A wiped app begins as another installation. */
  async #beginAnew(): Promise<void> {
    const { activation, states } = this.#parts;
    await states.begin();
    await states.take({ type: 'begin-anew' });
    this.#rules = NO_RULES;
    await activation.beginAnew();
  }

  #enter(stage: AuthorizeStage): void {
    this.#parts.emit('stage', { stage });
  }

  #isWiped(): boolean {
    return this.#parts.states.state === 'wiped';
  }

  /** A stage failed in a way that is no verdict. */
  async #failed(stage: AuthorizeStage, failure: StageFailure): Promise<AuthorizeResult> {
    await this.#parts.states.take({ type: 'authorize', outcome: 'failed', code: failure.code });
    return this.result(failure, stage);
  }

  /** How a call ends: as `failure` says, or with what the app is now. */
  result(failure?: StageFailure, stage?: AuthorizeStage): AuthorizeResult {
    const { activation, states } = this.#parts;
    const ended: StageFailure = failure ?? { code: states.code };
    return { ...ended, ...(stage === undefined ? {} : { stage }), state: states.state, number: RESULT_CODES[ended.code], keyConsumed: activation.keyConsumed };
  }
}

import type { AskingApp, ProtocolError } from '@uemkit/protocol';
import type { ActivationStage } from '../activation/app-activation-run.ts';
import type { Block } from './lock-reasons.ts';
import type { ResultName } from './result-codes.ts';
import type { AuthorizationState } from './transitions.ts';

/** What `authorize` does, in this order; the first two only until the app is activated. */
export type AuthorizeStage = ActivationStage | 'entitlementCheck' | 'policyUpdate' | 'policyCheck' | 'configuration' | 'unlock';

/** How far another app came that asks this one for an access key, in order; each belongs to one flow step. */
export type AppPhase = 'admitted' | 'requested' | 'answered' | 'handedOver';
export type AppStep = 'F3.3' | 'F3.4' | 'F3.5' | 'F3.6';

/** Flow step of each phase of another app. */
export const APP_STEPS: Readonly<Record<AppPhase, AppStep>> = { admitted: 'F3.3', requested: 'F3.4', answered: 'F3.5', handedOver: 'F3.6' };

/** Events of a `DynamicsRuntime`: name and `detail`. */
export interface DynamicsRuntimeEvents {
  /** The state, or why it is what it is. */
  statechange: {
    readonly state: AuthorizationState;
    readonly previous: AuthorizationState;
    readonly code: ResultName;
    /** The documented number of `code`. */
    readonly number: number;
    /** With `GDErrorBlocked`: what to show. */
    readonly block?: Block | undefined;
  };
  /** A stage of `authorize` begins. */
  stage: { readonly stage: AuthorizeStage };
  /** The NOC has taken a link (F10.2). `none`: nothing ties it to its TLS connection, as in a page (docs/protocol/12, 12.1). */
  link: { readonly binding: 'tls-exporter' | 'none' };
  /** Read `getApplicationConfig()` again. */
  configupdate: Readonly<Record<never, never>>;
  /** Another app of the device asks for an access key: it may, UEM was asked after the user agreed, UEM gave one, the app has it. */
  appprogress: { readonly step: AppStep; readonly phase: AppPhase; readonly app: AskingApp };
  /** Another app got no key; `error.step` says where. `app` is known once its first message was read. */
  appfailed: { readonly error: ProtocolError; readonly platformId: string; readonly app?: AskingApp | undefined };
  /** Read `getApplicationPolicy()` again. */
  policyupdate: Readonly<Record<never, never>>;
  /** The Proxies of the organisation are others; `connect` uses them from now on. */
  servicesupdate: Readonly<Record<never, never>>;
  /** Which versions of this app may be used has changed; what it means for this one shows in its state. */
  entitlementsupdate: Readonly<Record<never, never>>;
}

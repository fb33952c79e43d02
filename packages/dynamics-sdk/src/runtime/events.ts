import type { ActivationStage } from '../activation/app-activation-run.ts';
import type { Block } from './lock-reasons.ts';
import type { ResultName } from './result-codes.ts';
import type { AuthorizationState } from './transitions.ts';

/** What `authorize` does, in this order; the first two only until the app is activated. */
export type AuthorizeStage = ActivationStage | 'entitlementCheck' | 'policyUpdate' | 'policyCheck' | 'configuration' | 'unlock';

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
  /** Read `getApplicationPolicy()` again. */
  policyupdate: Readonly<Record<never, never>>;
}

import type { AppActivationRecord, AskingApp, HandedOver, ProtocolError } from '@uemkit/protocol';
import type { AppLink } from '../activation/uem-client-link.ts';
import type { NocLinkOptions } from '../connections/noc-link.ts';
import type { DynamicsRuntimeEvents } from '../runtime/events.ts';

/** Option `delegate` of a runtime, made by `activationDelegate`. A runtime that serves no other app does not pay for it. */
export interface ActivationDelegate {
  attach(host: DelegateHost): AttachedDelegate;
}

/** The runtime that other apps ask. */
export interface DelegateHost {
  /** Entitlement id of the app itself. */
  readonly appId: string;
  readonly ports: Omit<NocLinkOptions, 'linkId' | 'masterLinkKey'>;
  /** Why the app serves nobody now; undefined when it is authorized. */
  closedBy(): ProtocolError | undefined;
  /** The activation in force; undefined until there is one. */
  activated(): AppActivationRecord | undefined;
  emit<Name extends 'appprogress' | 'appfailed'>(name: Name, detail: DynamicsRuntimeEvents[Name]): void;
}

/** What serves other apps. */
export interface AttachedDelegate {
  /** Serves one app until it has a key or is refused; closes the link. @throws ProtocolError with its step; `signal.reason` after an abort */
  accept(link: AppLink, platformId: string, signal: AbortSignal): Promise<HandedOver>;
  /** The state of the app has changed: a locked or wiped one gives nobody a key any more. */
  review(): void;
}

/** What an app that wants a key is asked about at the user. */
export type DelegateConsent = (app: AskingApp, signal: AbortSignal) => boolean | Promise<boolean>;

import type { ProfileKind } from '@uemkit/protocol';
import type { SystemId } from '../operating-systems/system-definition.ts';
import type { Assertion } from './assertion.ts';
import type { PropertyValue } from './readers.ts';

/** How users get what they activate a device with (F1.1). */
/** `qr-mail`: the QR code is scanned from the picture in the mail that the lab sends; `qr`: its content is taken from the administrator's answer, for load. */
export type CredentialKind = 'password' | 'qr' | 'qr-mail';

/** Devices of one kind. Either all populations have a `count` or all have a `share`. */
export interface Population {
  readonly name: string;
  readonly operatingSystem: SystemId;
  readonly activationType: string;
  readonly count?: number | undefined;
  readonly share?: number | undefined;
  readonly credential: CredentialKind;
  /** Share of the users who have set a device password; without one LOCK_DEVICE has nothing to lock with. */
  readonly devicePassword: number;
  /** Share of the devices that the organisation owns as supervised ones; nothing where the system knows no supervision. */
  readonly supervised: number;
  /** Share of the devices that their users have jailbroken or rooted. */
  readonly compromised: number;
  readonly labels: readonly string[];
}

/** How devices activate: an open model with a cap on those under way. */
export interface ActivationPlan {
  readonly ratePerS: number;
  readonly inFlight: number;
  /** Attempts of one device before it counts as failed; only errors that may pass are tried again. */
  readonly attempts: number;
}

/** Which devices an entry of the timeline is for; everything that is given must hold. */
export interface Selection {
  readonly population?: string | undefined;
  readonly label?: string | undefined;
  /** Exactly this share of the devices that are left, chosen by seed. */
  readonly share: number;
}

/**
 * What is to become of a command on one device. `done`: carried out. `noEffect`: it ends well and changes nothing. `refusedByUem`: UEM takes it not for this device, so it is never sent.
 * `refusedByDevice`: the device answers that it failed, and why, and changes nothing.
 */
export const EXPECTATIONS = ['done', 'noEffect', 'refusedByUem', 'refusedByDevice'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

export interface CommandEntry {
  readonly command: string;
  readonly properties: { readonly [key: string]: PropertyValue };
  /** Entitlement id of the Dynamics app that a command for an application is for. */
  readonly application?: string | undefined;
  /** Instead of what the plan concludes from docs/commands.md; counts for every device that the step chooses. */
  readonly expect?: Expectation | undefined;
}

/** When a step of the timeline is due. */
export interface StepTime {
  /** From the beginning of the timeline. */
  readonly atMs: number;
  /** `drained`: not before everything that was sent by earlier steps is through; later steps move back by as much. */
  readonly after?: 'drained' | undefined;
  /** `activation`: made before the first device activates itself, for the users who are there by then. Of configure steps only, which stand first. */
  readonly before?: 'activation' | undefined;
}

/** What the administrator sends at one time: each device gets the commands in this order, all at once. */
export interface SendStep extends StepTime {
  readonly kind: 'send';
  readonly send: readonly CommandEntry[];
  readonly to: Selection;
}

/** An IT policy or a profile as the administrator writes it; the same name again changes it. */
export type ConfigurationEntry =
  | { readonly kind: 'policy'; readonly name: string; readonly content: ConfigurationContent }
  | { readonly kind: 'profile'; readonly name: string; readonly profileKind: ProfileKind; readonly content: ConfigurationContent };

/** Rules of a policy by group, or settings of a profile. */
export type ConfigurationContent = { readonly [key: string]: PropertyValue };

/** Policies and profiles that the administrator assigns or changes at one time (F5.1); devices get what has changed, as updates (F5.4). */
export interface ConfigureStep extends StepTime {
  readonly kind: 'configure';
  readonly configure: readonly ConfigurationEntry[];
  /** Who gets it beside those who have it already; nobody where it is absent. */
  readonly to?: Selection | undefined;
}

/** A fault that the lab server is told to cause; taken away again after `forMs`. */
export interface FaultStep extends StepTime {
  readonly kind: 'fault';
  readonly fault: LabFault;
  readonly forMs?: number | undefined;
}

/** Fault of the lab, as its REST takes it. */
export interface LabFault {
  readonly kind: 'drop' | 'delay' | 'duplicate' | 'refuse' | 'status' | 'restart' | 'reorder' | 'throttle' | 'expire' | 'expireAccess';
  readonly role?: string | undefined;
  readonly service?: string | undefined;
  /** With service `wakeUp` or `provider`: what is for devices of this notification service only. */
  readonly pushService?: 'apns' | 'fcm' | 'wns' | 'bb10' | undefined;
  readonly share?: number | undefined;
  readonly count?: number | undefined;
  readonly at?: 'request' | 'answer' | undefined;
  readonly delayMs?: number | undefined;
  readonly status?: number | undefined;
}

/** What an administrator sends to an app that is activated (F5.1). */
export const APP_COMMANDS = ['LOCK_APPLICATION', 'BLOCK_APPLICATION', 'UNBLOCK_APPLICATION', 'DELETE_APPLICATION'] as const;
export type AppCommandName = (typeof APP_COMMANDS)[number];

/** A block as the app shows it; `actionId` names it when it is lifted. */
export interface AppBlock {
  readonly actionId: string;
  readonly title: string;
  readonly body: string;
}

export type AppCommandEntry =
  | { readonly command: 'LOCK_APPLICATION' | 'DELETE_APPLICATION'; readonly properties: Readonly<Record<never, never>> }
  | { readonly command: 'BLOCK_APPLICATION'; readonly properties: AppBlock }
  | { readonly command: 'UNBLOCK_APPLICATION'; readonly properties: Pick<AppBlock, 'actionId'> };

/** Which apps something is for: those on the devices that are chosen, among the devices that have them. */
export interface AppSelection extends Selection {
  /** Name of the app; absent: every one. */
  readonly app?: string | undefined;
}

/** Commands that the administrator sends to apps at one time (F5.1); an app hears of them when it asks the next time (F5.3). */
export interface SendToAppsStep extends StepTime {
  readonly kind: 'sendToApps';
  readonly sendToApps: readonly AppCommandEntry[];
  readonly to: AppSelection;
}

export type TimelineStep = SendStep | SendToAppsStep | ConfigureStep | FaultStep;

/** Limits of the generator itself; over one of them the run says nothing about the server. */
export interface GeneratorLimits {
  /** 99th percentile of the delay of the event loop. */
  readonly maxEventLoopDelayMs: number;
  /** 99th percentile of the time by which the emulator itself started something too late. */
  readonly maxLagMs: number;
}

/** Where an app gets its access key from (F3.3 to F3.5): the UEM Client of its device, a mail that its user reads, or another app of the device. */
export const KEY_SOURCES = ['uem-client', 'mail', 'sibling'] as const;
export type KeySource = (typeof KEY_SOURCES)[number];

/** How the requests of an app reach the server: through NOC and Proxy (F10), or by Direct Connect (F11). */
export const APP_WAYS = ['noc', 'direct'] as const;
export type AppWay = (typeof APP_WAYS)[number];

/** One kind of request of a session; a POST sends so many bytes. */
export interface AppRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly bodyBytes: number;
  readonly count: number;
}

/** A Dynamics app that devices run. */
export interface AppPopulation {
  readonly name: string;
  /** Entitlement id. */
  readonly application: string;
  readonly to: Selection;
  readonly key: KeySource;
  readonly way: AppWay;
  /** Sessions of each app. */
  readonly sessions: number;
  readonly sessionsPerHour: number;
  /** How often a request that no answer came to is made again. */
  readonly retries: number;
  /** What each session asks the server for, in this order. */
  readonly requests: readonly AppRequest[];
  /** How often the app asks UEM what has changed, beside what its runtime does by itself; absent: as `UPDATE_INTERVAL_MS` says. */
  readonly updateIntervalMs?: number | undefined;
}

/** How often apps ask UEM where the scenario does not say it and sends commands to apps; without such commands only as their runtimes do by themselves. */
export const UPDATE_INTERVAL_MS = 5_000;

/** Regular poll that the activation profiles of the fleet ask for (F5.2); whole seconds. */
export interface PollPlan {
  readonly intervalMs: number;
  /** Width of the random part that is added to the interval. */
  readonly jitterMs: number;
}

/** One scenario, read and checked. */
export interface Scenario {
  readonly format: 1;
  readonly name: string;
  readonly description?: string | undefined;
  readonly seed: number;
  /** Devices altogether; absent when the populations have counts. */
  readonly size?: number | undefined;
  readonly populations: readonly Population[];
  readonly activation: ActivationPlan;
  /** Share of the push notifications that are lost on purpose before the device sees them. */
  readonly pushLoss: number;
  /** How long the timeline waits for the push connections after the last activation; devices without one depend on the regular poll. */
  readonly connectWithinMs: number;
  readonly poll: PollPlan;
  readonly timeline: readonly TimelineStep[];
  readonly apps: readonly AppPopulation[];
  /** Base URL of the HTTP server that apps ask. */
  readonly appServer?: string | undefined;
  /** The fleet runs at least this long after the last activation. */
  readonly durationMs: number;
  /** How long after that the last command may take. */
  readonly drainWithinMs: number;
  readonly generator: GeneratorLimits;
  readonly assertions: readonly Assertion[];
}

/** Largest fleet of one process. */
export const MAX_DEVICES = 100_000;

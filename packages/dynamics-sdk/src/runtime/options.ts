import { type Clock, type CryptoProvider, type Entropy, ProtocolError, type ScryptCost, type Store, type TraceSink } from '@uemkit/protocol';
import type { ActivationReview } from '../activation/app-activation-run.ts';
import type { Siblings } from '../activation/sibling-link.ts';
import type { UemClientLink } from '../activation/uem-client-link.ts';
import { requireEntitlement } from '../configuration/entitlement.ts';
import type { ConnectionWays } from '../connections/way.ts';
import type { ContainerStorage, DeviceKey } from '../container/ports.ts';
import type { ActivationDelegate } from '../delegate/delegate-port.ts';
import type { NocTransport, NocTrust } from '../noc/noc-transport.ts';
import type { PushChannels } from '../push/push-port.ts';
import type { ServicesPart } from '../services/services-port.ts';

/** The ports of one app, and what may be set. Nothing has a default that reads the environment. */
export interface DynamicsRuntimeOptions {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Entitlement id and version, as documented; `platform` as UEM shows it, 1 to 64 bytes. */
  readonly app: { readonly appId: string; readonly version: string; readonly platform: string };
  readonly noc: { readonly address: string; readonly trust: NocTrust };
  readonly transport: NocTransport;
  /** How `connect` reaches servers, in place of the ways through the NOC (F10). */
  readonly ways?: ConnectionWays | undefined;
  /** True: a link to the NOC without channel binding is allowed, where the platform gives none, as in a page (docs/protocol/12). */
  readonly allowUnboundLink?: boolean | undefined;
  /** The UEM Client of this device, asked for an access key when `authorize` is given none (F3.3). Absent: there is none, or the app has to do without. */
  readonly uemClient?: UemClientLink | undefined;
  /** Activated apps of this device, asked for an access key when there is neither a typed one nor a UEM Client (F3.4). */
  readonly siblings?: Siblings | undefined;
  /** Lets this app ask for access keys of other apps on its device, once it is activated and policy marks it (F3.4): `activationDelegate(…)`. */
  readonly delegate?: ActivationDelegate | undefined;
  /** `pushChannels()`: `runtime.pushChannel` is there then. A runtime of `./node` has them by itself. */
  readonly pushChannels?: PushChannels | undefined;
  /** Services between the apps of this user on this device: `interAppServices(…)` of `@uemkit/dynamics-sdk/services`. */
  readonly services?: ServicesPart | undefined;
  /** What lies beside the container: the activation, sealed by the device key, and the reasons to lock. Keys begin with `dynamics/`. It stays when the container is wiped. */
  readonly store: Store;
  /** Opens the storage of the container; called again after a wipe. */
  openStorage(): ContainerStorage | Promise<ContainerStorage>;
  readonly deviceKey: DeviceKey;
  /** Shows user and organisation and resolves with what the user says; absent: nobody is asked. Asked again in each run of an activation. */
  review?: ((facts: ActivationReview) => Promise<boolean>) | undefined;
  /** Called with every frame that is sent or received. */
  readonly trace?: TraceSink | undefined;
  readonly passwordCost?: ScryptCost | undefined;
}

const PORTS = ['crypto', 'clock', 'entropy', 'app', 'noc', 'transport', 'store', 'deviceKey'] as const satisfies readonly (keyof DynamicsRuntimeOptions)[];

/** Callers without types learn at once what is missing. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function requireOptions(options: DynamicsRuntimeOptions): DynamicsRuntimeOptions {
  const missing = PORTS.find((port) => typeof options[port] !== 'object') ?? (typeof options.openStorage === 'function' ? undefined : 'openStorage');
  if (missing !== undefined) throw new ProtocolError('ERR_USAGE_ARGUMENT', `openDynamicsRuntime needs ${missing}`);
  requireEntitlement(options.app);
  return options;
}

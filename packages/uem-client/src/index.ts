import type { UemClient } from './client.ts';
import { DeviceClient } from './device-client.ts';
import { checkOptions, type UemClientOptions } from './options.ts';

export type { AppEndpoint, AppHost, AppLink, AttachedAppEndpoint } from './app-port.ts';
export type { CallOptions, UemClient } from './client.ts';
export { DEFAULT_LIMITS, type UemClientLimits, type UemClientPorts } from './client-ports.ts';
export type { ActivationCredentials, PasswordCredentials, QrCredentials } from './credentials.ts';
export {
  ACTIVATION_STEPS,
  type ActivationPhase,
  type ActivationStep,
  APP_STEPS,
  type AppPhase,
  type AppStep,
  type ClientState,
  type UemClientEvents,
} from './events.ts';
export { privateKeyPem } from './key-store/private-key-pem.ts';
export { type SoftwareKeyStoreOptions, softwareKeyStore, type TlsKeyStore } from './key-store/software-key-store.ts';
export type {
  Command,
  CommandOutcome,
  ConfigurationOutcome,
  DeactivationReason,
  OperatingSystem,
  PushService,
  StateChange,
} from './operating-system.ts';
export type { UemClientOptions } from './options.ts';
export { type SavedDevice, savedDevice } from './state/saved-device.ts';
export type { DeviceIdentity, ExchangeRequest, PushConnection, PushRequest, Trust, UemService, UemTransport } from './transport.ts';
export { type FetchFunction, type FetchTransportOptions, fetchTransport, type SignedSecurity } from './transports/fetch-transport.ts';
export type { SigningPorts } from './transports/request-signer.ts';
export type { WebSocketConstructor, WebSocketLike } from './transports/web-socket-push.ts';
export { trustOfPem } from './trust-of-pem.ts';

/** Makes the client of one device. Nothing happens before `open`. @throws ProtocolError `ERR_USAGE_ARGUMENT` when a port is missing */
export function createUemClient(options: UemClientOptions): UemClient {
  return new DeviceClient(checkOptions(options));
}

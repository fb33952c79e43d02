export type { ActivationReview, ActivationStage } from './activation/app-activation-run.ts';
export type { SiblingLink, Siblings } from './activation/sibling-link.ts';
export type { AppLink, UemClientLink } from './activation/uem-client-link.ts';
export { type ApplicationConfig, type AppServer, serversInOrder } from './configuration/application-config.ts';
export type { ApplicationPolicy, ApplicationPolicyValue, ApplicationPolicyValues } from './configuration/application-policy.ts';
export type { ByteStream, ConnectionWay, ConnectionWays, ConnectTarget, WayOptions } from './connections/way.ts';
export type { PasswordRefusal } from './container/attempt.ts';
export type { NewPassword, PasswordChange, PasswordSet, SecureContainer } from './container/container.ts';
export type { ContainerFiles, FileStatus } from './container/files.ts';
export type { ContainerOptions, ContainerStorage, DeviceKey, StorageKeys } from './container/ports.ts';
export { generateUnlockKey } from './container/unlock-key.ts';
export type { ContainerValues } from './container/values.ts';
export { type ContainerVault, type CreateResult, containerVault, type OpenResult, type RecoverResult, type VaultState } from './container/vault.ts';
export { activationDelegate } from './delegate/activation-delegate.ts';
export type { ActivationDelegate, DelegateConsent } from './delegate/delegate-port.ts';
export { type ActivationDelegateOptions, DEFAULT_DELEGATE_LIMITS, type DelegateLimits } from './delegate/delegate-rules.ts';
export type { NocConnection, NocRequest, NocTransport, NocTrust } from './noc/noc-transport.ts';
export {
  type CharacterClass,
  DEFAULT_PASSWORD_POLICY,
  type PasswordFault,
  type PasswordPolicy,
  passwordExpired,
  passwordFaults,
} from './password/policy.ts';
export { pushChannels } from './push/push-channels.ts';
export { PUSH_CHANNEL_EVENTS, type PushChannel, type PushChannelEvents, type PushChannelState, type PushChannels } from './push/push-port.ts';
export type { AuthorizeOptions, AuthorizeResult, DynamicsRuntime, TypedCredentials } from './runtime/dynamics-runtime.ts';
export type { AppPhase, AppStep, AuthorizeStage, DynamicsRuntimeEvents } from './runtime/events.ts';
export type { Block, LockReasons } from './runtime/lock-reasons.ts';
export type { DynamicsRuntimeOptions } from './runtime/options.ts';
export { RESULT_CODES, type ResultName } from './runtime/result-codes.ts';
export { openDynamicsRuntime } from './runtime/runtime.ts';
export {
  NEW_RUNTIME_RECORD,
  type RuntimeEffect,
  type RuntimeInput,
  RuntimeMachine,
  type RuntimePolicy,
  type RuntimeRecord,
} from './runtime/runtime-machine.ts';
export { type AuthorizationState, RUNTIME_TRANSITIONS } from './runtime/transitions.ts';
export type { AttachedServices, ServicesHost, ServicesPart } from './services/services-port.ts';
export type { ChangedPart, UpdateResult } from './updates/update-result.ts';

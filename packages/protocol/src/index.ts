export { concatBytes, lp, sameBytes, u16be, u32be, u64be, u64le, utf8 } from './bytes/bytes.ts';
export { type SecretBytes, secret, wipe } from './bytes/secret.ts';
export { fromBase64url, fromHex, toBase64url, toHex } from './bytes/text.ts';
export { type Driven, type DrivePorts, drive } from './drive/drive.ts';
export { type RunningSession, type RunSessionPorts, runProxySession } from './drive/run-session.ts';
export { ERROR_CODES, type ErrorCode, type ErrorCodeEntry, type ErrorKind, type RetryClass } from './errors/codes.ts';
export { type ErrorDetails, isProtocolError, ProtocolError, type ProtocolErrorOptions } from './errors/protocol-error.ts';
export { ERROR_SUMMARIES } from './errors/summaries.ts';
export { EventEmitterTarget, type TypedEventTarget } from './events/typed-event-target.ts';
export { type DeviceSignatures, deviceSignatures } from './http-signature/device-half.ts';
export * as httpSignature from './http-signature/index.ts';
export * as keySchedule from './key-schedule/index.ts';
export {
  ACTIVATION_SALT_BYTES,
  type ActivationIdentity,
  canonicalUserId,
  DEFAULT_SCRYPT_COST,
  generateActivationPassword,
  passwordStretch,
  qrSecretBytes,
  requireCanonicalUserId,
  type Spake2Verifier,
  stretchQrSecret,
  userIdHash,
  verifierFromStretched,
} from './key-schedule/index.ts';
export { type ActivationDoneAnswer, answerActivationDone } from './machine/activation/activation-done.ts';
export { ACTIVATION_TIMERS, type ActivationInitiator, activationInitiator } from './machine/activation/activation-initiator.ts';
export {
  ACTIVATION_KEY,
  type ActivationPhase,
  type ActivationRecord,
  type ConfigurationOutcome,
  restoreActivation,
  writeActivation,
} from './machine/activation/activation-record.ts';
export { type ActivationResponder, activationResponder } from './machine/activation/activation-responder.ts';
export type {
  ActivationEvent,
  ActivationInitiatorOptions,
  ActivationOutput,
  ActivationRequestResult,
  ActivationRequestToDriver,
  ActivationSecret,
  DeviceCertificates,
  IssuedCertificates,
} from './machine/activation/initiator-types.ts';
export type {
  ActivationAnswer,
  ActivationContext,
  ActivationRecords,
  ActivationRefusal,
  ActivationResponderOptions,
  ActivationVerifier,
  IssueRequest,
  ReadCertificateRequest,
} from './machine/activation/responder-types.ts';
export { ACTIVATION_INITIATOR_TRANSITIONS, ACTIVATION_RESPONDER_TRANSITIONS } from './machine/activation/transitions.ts';
export {
  APP_ACTIVATION_TIMERS,
  type AppActivationInitiator,
  appActivationInitiator,
} from './machine/app-activation/app-activation-initiator.ts';
export {
  APP_ACTIVATION_KEY,
  type AppActivationPhase,
  type AppActivationRecord,
  type DeviceIdentity,
  type HeldAccessKey,
  newAppActivation,
  restoreAppActivation,
  type UnansweredSession,
  writeAppActivation,
} from './machine/app-activation/app-activation-record.ts';
export {
  APP_ACTIVATION_CORE_TIMER,
  type AppActivationResponder,
  appActivationResponder,
} from './machine/app-activation/app-activation-responder.ts';
export type {
  AppActivationEvent,
  AppActivationInitiatorOptions,
  AppActivationOutput,
  AppActivationRequest,
  AppActivationRequestResult,
} from './machine/app-activation/initiator-types.ts';
export type {
  AccessKeyFacts,
  AppActivationCoreEvent,
  AppActivationCoreOutput,
  AppActivationCoreRequest,
  AppActivationCoreResult,
  AppActivationResponderOptions,
  AppProvisioning,
  SetUpEnvelope,
} from './machine/app-activation/responder-types.ts';
export { APP_ACTIVATION_INITIATOR_TRANSITIONS, APP_ACTIVATION_RESPONDER_TRANSITIONS } from './machine/app-activation/transitions.ts';
export { type AppUpdateInitiator, appUpdateInitiator } from './machine/app-update/app-update-initiator.ts';
export { APP_UPDATE_INITIATOR_TRANSITIONS, APP_UPDATE_RESPONDER_TRANSITIONS } from './machine/app-update/transitions.ts';
export type { AppUpdateApplied, AppUpdateInitiatorOptions, AppUpdateOutput, AppUpdateToApply } from './machine/app-update/update-types.ts';
export { CORE_SESSION_TIMER } from './machine/core-session/core-records.ts';
export { type CoreResponder, coreResponder } from './machine/core-session/core-responder.ts';
export type { CoreOutput, CoreRequest, CoreResponderOptions, CoreResult } from './machine/core-session/core-types.ts';
export { errorOfAlert } from './machine/exchange/alerts.ts';
export type {
  CommandOutcome,
  ManagementCall,
  ManagementDeviceOptions,
  ManagementEvent,
  ManagementOutput,
  ManagementRequest,
  ManagementRequestResult,
} from './machine/exchange/device-types.ts';
export {
  type AnsweredCommand,
  MANAGEMENT_KEYS,
  type ManagementState,
  type OpenCommand,
  type PollSchedule,
  restoreManagementState,
} from './machine/exchange/journal.ts';
export { MANAGEMENT_TIMERS, type ManagementDevice, managementDevice } from './machine/exchange/management-device.ts';
export {
  answerManagement,
  type ManagementReply,
  type ManagementServerOptions,
  type QueueChange,
  type QueueEntry,
} from './machine/exchange/management-server.ts';
export { commandPriority, endsManagement } from './machine/exchange/priority.ts';
export { MANAGEMENT_DEVICE_TRANSITIONS, MANAGEMENT_SERVER_TRANSITIONS } from './machine/exchange/transitions.ts';
export { HANDSHAKE_TIMER, type HandshakeInitiator, handshakeInitiator } from './machine/handshake/handshake-initiator.ts';
export { type HandshakeResponder, handshakeResponder } from './machine/handshake/handshake-responder.ts';
export { type HandshakeStream, handshakeStream } from './machine/handshake/handshake-stream.ts';
export type {
  HandshakeBinding,
  HandshakeEvent,
  HandshakeInitiatorOptions,
  HandshakePeer,
  HandshakeRequest,
  HandshakeRequestResult,
  HandshakeResponderOptions,
  HandshakeSession,
  SessionRecords,
} from './machine/handshake/handshake-types.ts';
export { HANDSHAKE_INITIATOR_TRANSITIONS, HANDSHAKE_RESPONDER_TRANSITIONS } from './machine/handshake/transitions.ts';
export type { KeyForwardInitiatorOptions } from './machine/key-forward/forward-types.ts';
export { type KeyForwardInitiator, keyForwardInitiator } from './machine/key-forward/key-forward-initiator.ts';
export { KEY_FORWARD_INITIATOR_TRANSITIONS, KEY_FORWARD_RESPONDER_TRANSITIONS } from './machine/key-forward/transitions.ts';
export { clientOfCertificates } from './machine/key-hand-over/client-of-certificates.ts';
export type {
  AskingApp,
  HandedOver,
  IdentifiedClient,
  KeyHandOverInitiatorOptions,
  KeyHandOverOutput,
  KeyHandOverRequest,
  KeyHandOverResponderOptions,
  KeyHandOverResult,
} from './machine/key-hand-over/hand-over-types.ts';
export { KEY_HAND_OVER_TIMER, type KeyHandOverInitiator, keyHandOverInitiator } from './machine/key-hand-over/key-hand-over-initiator.ts';
export { type KeyHandOverResponder, keyHandOverResponder } from './machine/key-hand-over/key-hand-over-responder.ts';
export { type CountedRequest, RequestBudget, type RequestLimits } from './machine/key-hand-over/request-budget.ts';
export { KEY_HAND_OVER_INITIATOR_TRANSITIONS, KEY_HAND_OVER_RESPONDER_TRANSITIONS } from './machine/key-hand-over/transitions.ts';
export type { Effect, Input, Machine } from './machine/machine.ts';
export { type ProxySession, proxySessionInitiator, proxySessionResponder, SESSION_TIMER } from './machine/proxy-session/proxy-session.ts';
export type {
  ProxySessionInitiatorOptions,
  ProxySessionResponderOptions,
  SessionCall,
  SessionEvent,
  SessionLimits,
} from './machine/proxy-session/session-types.ts';
export { STREAM_TRANSITIONS, type StreamState } from './machine/proxy-session/transitions.ts';
export { type ServiceInitiator, serviceInitiator } from './machine/service-session/service-initiator.ts';
export { SERVICE_TIMER } from './machine/service-session/service-records.ts';
export { type ServiceResponder, serviceResponder } from './machine/service-session/service-responder.ts';
export type {
  ServiceAnswer,
  ServiceCall,
  ServiceContent,
  ServiceDone,
  ServiceFile,
  ServiceInitiatorOptions,
  ServiceResponderOptions,
  ServiceToDo,
} from './machine/service-session/service-types.ts';
export { SERVICE_INITIATOR_TRANSITIONS, SERVICE_RESPONDER_TRANSITIONS } from './machine/service-session/transitions.ts';
export { StateCell, type Transition, type TransitionListener, type TransitionRecorder, transitionRecorder } from './machine/table.ts';
export type { CancelTimer, Clock } from './ports/clock.ts';
export type { CbcHs512, CryptoProvider, Gcm, ScryptCost } from './ports/crypto-provider.ts';
export type { Entropy } from './ports/entropy.ts';
export type { KeyStore } from './ports/key-store.ts';
export type { FrameReceiver, Link, RequestLink, StreamLink } from './ports/link.ts';
export type { CertificatePeer, PeerIdentity, SignaturePeer } from './ports/peer-identity.ts';
export type { Store, StoreWrite } from './ports/store.ts';
export type { TraceEvent, TraceSink } from './ports/trace.ts';
export * as record from './record/index.ts';
export { type BackoffOptions, backoff, DEFAULT_BACKOFF } from './retry/backoff.ts';
export { randomFraction } from './retry/jitter.ts';
export * from './wire/commands/index.ts';
export * from './wire/profile-kinds.ts';
export { readCertificate } from './x509/certificate-reader.ts';
export { type DeviceX509, deviceX509 } from './x509/device-certificates.ts';
export * as x509 from './x509/index.ts';

export {
  type Administration,
  type IssuedPassword,
  type IssuedQrCode,
  type NewPassword,
  type NewSecret,
  type NewUser,
  SECRET_LIFE_MS,
} from './admin/administration.ts';
export type { NewDeviceCommand } from './admin/new-device-command.ts';
export { AdminProblem, type ProblemId } from './admin/problem.ts';
export { type ConnectionFile, readConnectionFile } from './data/connection-file.ts';
export type { RoleFile, RoleFiles } from './data/role-file.ts';
export { type ActiveFault, type FaultKind, type FaultRule, type Faults, MAX_FAULT_RULES } from './faults/faults.ts';
export type { Interceptor, NocInterceptor, NocToUem } from './host/interceptor.ts';
export type { HostAnswer } from './host/role-host.ts';
export type { JournalQuery, NumberedEntry, RingJournal } from './journal/journal.ts';
export { type Lab, type LabOptions, startLab } from './lab.ts';
export { type LabServer, type LabServerOptions, startLabServer } from './lab-server.ts';
export type { MemoryNocRequest } from './memory/memory-noc.ts';
export type { MemoryExchange, MemoryPushRequest, MemoryTransport } from './memory/memory-transport.ts';
export type { MemoryTrust } from './memory/memory-trust.ts';
export type { RestRequest, RestResponse } from './rest/rest-request.ts';
export { adminRestDocument } from './rest/route-table.ts';
export type { PushCredentials, SigningKey } from './roles/infrastructure/push/push-credentials.ts';
export type { NocConnection, NocSocket } from './roles/noc/noc-connection.ts';
export type { AccountKey, ApnsAccount, Bb10Account, FcmAccount, PushAccounts, WnsAccount } from './roles/notification/push-accounts.ts';
export { PUSH_LIMITS, type PushLimits } from './roles/notification/push-limits.ts';
export type { PushConnection, PushSocket } from './roles/notification/push-session.ts';
export type { JournalEntry, RoleName, RoleRequest } from './roles/role.ts';
export type { ActivationSecretRecord } from './state/activation-secrets.ts';
export type { CommandRecord, CommandState } from './state/commands.ts';
export type { DeviceRecord, DeviceStatus } from './state/devices.ts';
export type { ActivationProfileRecord } from './state/profiles.ts';
export type { UserRecord } from './state/users.ts';
export type { LabStore, WriteView } from './store/lab-store.ts';
export { MemoryStore } from './store/memory-store.ts';

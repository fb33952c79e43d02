import type { Clock, CryptoProvider, Entropy } from '@uemkit/protocol';
import type { NocRegistrar } from '../links/noc-registrar.ts';
import type { Registrar } from '../links/registrar.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { LabStore } from '../store/lab-store.ts';
import { createAccessKeyAdministration } from './access-key-administration.ts';
import { createActivationAdministration } from './activation-administration.ts';
import type { Administration } from './administration.ts';
import { createAppPolicyAdministration } from './app-policy-administration.ts';
import { createApplicationAdministration } from './application-administration.ts';
import { createAssignmentAdministration } from './assignment-administration.ts';
import { createBulkCommands } from './bulk-commands.ts';
import { createConfigurationProfileAdministration } from './configuration-profile-administration.ts';
import { createDeviceAdministration } from './device-administration.ts';
import { createDeviceGroupAdministration } from './device-group-administration.ts';
import { createDynamicsAppAdministration } from './dynamics-app-administration.ts';
import { createMailAdministration } from './mail-administration.ts';
import { createPolicyAdministration } from './policy-administration.ts';
import { createProxyAdministration } from './proxy-administration.ts';
import { createSecretIssuer } from './secret-issuer.ts';
import { createUserAdministration } from './user-administration.ts';
import { createUserGroupAdministration } from './user-group-administration.ts';

export interface AdministrationOptions {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly entropy: Entropy;
  readonly store: LabStore;
  readonly tenantId: string;
  readonly registrar: Registrar;
  /** Tells the NOC of access keys. */
  readonly noc: Pick<NocRegistrar, 'tell' | 'flush'>;
  /** Activation listener, for QR codes. */
  readonly activation: { readonly address: string; readonly spkiPin: Uint8Array };
  /** Sends what is in the outbox. */
  readonly mailer: Pick<Mailer, 'kick' | 'retryNow'>;
  /** `host:port` that users type when they are asked for a server. */
  readonly serverAddress: string;
  /** Wakes a device whose command is durable (F5.2). Must not throw. */
  wake(deviceId: string, known?: { readonly pushToken?: Uint8Array | undefined }): void;
  /** Works out anew what devices must be given; the jobs for it are durable (F5.2). Must not throw. */
  reconfigure(): void;
  /** Application servers are other ones now: the NOC has to hear where apps may go (F10.3). Must not throw. */
  serversChanged(): void;
}

/** The administration of one UEM, on its store. */
export function createAdministration(options: AdministrationOptions): Administration {
  const issuer = createSecretIssuer(options);
  return {
    tenantId: options.tenantId,
    ...createUserAdministration(options),
    ...createActivationAdministration(options),
    ...createDeviceAdministration(options),
    ...createBulkCommands(options),
    ...createUserGroupAdministration(options),
    ...createDeviceGroupAdministration(options),
    ...createPolicyAdministration(options),
    ...createConfigurationProfileAdministration(options),
    ...createApplicationAdministration(options),
    ...createAppPolicyAdministration(options),
    ...createAssignmentAdministration(options),
    ...createAccessKeyAdministration(options),
    ...createProxyAdministration(options),
    ...createDynamicsAppAdministration(options),
    ...createMailAdministration({ ...options, issuer }),
    setActivationPassword: (guid, password = {}) => issuer.password(guid, password),
    checkActivationSecret: (guid, kind, wanted) => issuer.check(guid, kind, wanted),
    createQrCode: (guid, secret = {}) => issuer.qrCode(guid, secret),
  };
}

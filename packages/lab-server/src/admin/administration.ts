import type * as wire from '@uemkit/protocol/wire';
import type { ActivationRefusalRecord } from '../state/activation-refusals.ts';
import type { ActivationSecretRecord } from '../state/activation-secrets.ts';
import type { ActivationSettingsRecord } from '../state/activation-settings.ts';
import type { CommandRecord } from '../state/commands.ts';
import type { DeviceRecord, DeviceSummary } from '../state/devices.ts';
import type { EmailTemplateRecord } from '../state/email-templates.ts';
import type { InboxMailRecord } from '../state/inbox.ts';
import type { InventoryRecord } from '../state/inventory.ts';
import type { MailSettingsRecord } from '../state/mail-settings.ts';
import type { MailRecord } from '../state/mails.ts';
import type { ActivationProfileRecord } from '../state/profiles.ts';
import type { UserRecord } from '../state/users.ts';
import type { AccessKeyAdministration } from './access-key-administration.ts';
import type { AppPolicyAdministration } from './app-policy-administration.ts';
import type { ApplicationAdministration } from './application-administration.ts';
import type { AssignmentAdministration } from './assignment-administration.ts';
import type { BulkCommands } from './bulk-commands.ts';
import type { ConfigurationProfileAdministration } from './configuration-profile-administration.ts';
import type { DeviceGroupAdministration } from './device-group-administration.ts';
import type { DynamicsAppAdministration } from './dynamics-app-administration.ts';
import type { NewDeviceCommand, SentCommand } from './new-device-command.ts';
import type { PlannedChange } from './planned-change.ts';
import type { PolicyAdministration } from './policy-administration.ts';
import type { ProxyAdministration } from './proxy-administration.ts';
import type { UserGroupAdministration } from './user-group-administration.ts';

/** A user to be added (F1.1a). */
export interface NewUser {
  readonly username: string;
  readonly displayName?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly email?: string | undefined;
  /** Activation profile; absent: the default one (F1.1b). */
  readonly profileId?: string | undefined;
}

/** How long a secret is good for, and for what. */
export interface NewSecret {
  /** Wall clock, milliseconds; absent: as the activation settings say. */
  readonly expiresAtMs?: number | undefined;
  /** True: the first device that is activated with it uses it up; absent: as the activation settings say. */
  readonly expireAfterUse?: boolean | undefined;
  /** Profile of the devices that are activated with it. */
  readonly profileId?: string | undefined;
  /** True: one more secret, paired with `profileId`, whose devices are admitted whatever their number; a user has at most two of them. */
  readonly paired?: boolean | undefined;
  /** True: the other secrets of the user will be made useless, so a paired one may take the place of any. */
  readonly replacesAll?: boolean | undefined;
}

/** Changes of the activation settings. */
export interface ActivationSettingsChange {
  readonly passwordLength?: number | undefined;
  readonly passwordAlphabet?: string | undefined;
  readonly secretLifeMs?: number | undefined;
  readonly expireAfterUse?: boolean | undefined;
  readonly licences?: number | null | undefined;
}

/** An activation password to be set (F1.1c). */
export interface NewPassword extends NewSecret {
  /** Absent: one is made. */
  readonly password?: string | undefined;
}

/** The one time that a password is told. */
export interface IssuedPassword {
  readonly password: string;
  readonly expiresAtMs: number;
  /** Where it is kept: 0, or 1 and 2 when it is paired with a profile. */
  readonly slot: number;
}

/** The one time that the content of a QR code is told. */
export interface IssuedQrCode {
  readonly content: string;
  readonly expiresAtMs: number;
  /** Where it is kept: 0, or 1 and 2 when it is paired with a profile. */
  readonly slot: number;
}

/** An activation mail (F1.1c): at least one secret is in it. */
export interface NewActivationMail {
  readonly password?: NewPassword | undefined;
  readonly qrCode?: NewSecret | undefined;
  /** Id of the template; absent: `activation`. */
  readonly template?: string | undefined;
}

/** A mail that will be sent, and the one time that its secrets are told. */
export interface IssuedActivationMail {
  readonly mail: MailRecord;
  readonly password: IssuedPassword | undefined;
  readonly qrCode: IssuedQrCode | undefined;
}

/** A device, and whose it has to be; absent: anybody's. */
export interface DeviceOwner {
  readonly deviceId: string;
  readonly userGuid?: string | undefined;
}

/** Everything that an administrator does, with no HTTP in between. The admin REST API and `startLab()` stand on it. */
export interface Administration
  extends UserGroupAdministration,
    DeviceGroupAdministration,
    BulkCommands,
    PolicyAdministration,
    ConfigurationProfileAdministration,
    ApplicationAdministration,
    AppPolicyAdministration,
    AssignmentAdministration,
    AccessKeyAdministration,
    ProxyAdministration,
    DynamicsAppAdministration {
  readonly tenantId: string;
  /**
   * Adds a user; devices can find the way to this UEM when it resolves.
   * @throws AdminProblem `USER_EXISTS`, `PROFILE_NOT_FOUND`, `INVALID_PROPERTY`
   */
  createUser(user: NewUser): Promise<UserRecord>;
  /** @throws AdminProblem `USER_NOT_FOUND`, `USER_HAS_DEVICES` */
  deleteUser(guid: string): Promise<void>;
  /** @throws AdminProblem `USER_NOT_FOUND` */
  user(guid: string): UserRecord;
  /** The user of this name, in any of its written forms. */
  userByName(username: string): UserRecord | undefined;
  users(): Iterable<UserRecord>;
  /**
   * Sets the activation password of a user; the one before is gone. A paired one takes the place of that of the same profile.
   * @throws AdminProblem `USER_NOT_FOUND`, `PROFILE_NOT_FOUND`, `INVALID_PROPERTY`, `TOO_MANY_PASSWORDS`
   */
  setActivationPassword(guid: string, password?: NewPassword): Promise<IssuedPassword>;
  /**
   * Makes a new QR code for a user; the one before is gone.
   * @throws AdminProblem `USER_NOT_FOUND`, `PROFILE_NOT_FOUND`, `INVALID_PROPERTY`, `TOO_MANY_PASSWORDS`
   */
  createQrCode(guid: string, secret?: NewSecret): Promise<IssuedQrCode>;
  /** Makes nothing, and throws what `setActivationPassword` or `createQrCode` would: ask it of each before several are made. */
  checkActivationSecret(guid: string, kind: wire.SecretKind, wanted: NewPassword): void;
  /** @throws AdminProblem `USER_NOT_FOUND` */
  activationSecrets(guid: string): readonly ActivationSecretRecord[];
  /** Makes the secrets of a user useless at once: all of them, or those with these ids. Activations that began with them end. @throws AdminProblem `USER_NOT_FOUND` */
  expireActivationSecrets(guid: string, secretIds?: readonly string[]): Promise<void>;
  /** Runs changes of the secrets of one user that take several steps one after the other: none comes between the steps of another. */
  changeSecretsInTurn<T>(guid: string, change: () => Promise<T>): Promise<T>;
  /** Devices of a user that proved a secret and were not activated all the same (F1.4), the oldest first; at most 20. @throws AdminProblem `USER_NOT_FOUND` */
  activationRefusals(guid: string): readonly ActivationRefusalRecord[];
  profiles(): Iterable<ActivationProfileRecord>;
  /** @throws AdminProblem `PROFILE_NOT_FOUND` */
  profile(profileId: string): ActivationProfileRecord;
  /** Creates or replaces an activation profile. @throws AdminProblem `INVALID_PROPERTY` */
  putProfile(profile: ActivationProfileRecord): Promise<void>;
  /** Deletes an activation profile; secrets that were made for it expire. Devices stay as they are. @throws AdminProblem `PROFILE_NOT_FOUND`, `PROFILE_IN_USE`, `IN_USE` */
  deleteProfile(profileId: string): Promise<void>;
  activationSettings(): ActivationSettingsRecord;
  /** Changes what is given, `null` takes the limit of licences away. @throws AdminProblem `INVALID_PROPERTY` */
  changeActivationSettings(changes: ActivationSettingsChange): Promise<ActivationSettingsRecord>;
  /** Active devices of the tenant, and how many may be. */
  licences(): { readonly limit: number | undefined; readonly used: number };
  /**
   * Makes a password, a QR code, or both, and mails them to the user (F1.1c). Resolves when the mail is durable, whether or not a host is there to take it: see `mail`.
   * @throws AdminProblem `USER_NOT_FOUND`, `NO_MAIL_ADDRESS`, `EMAIL_TEMPLATE_NOT_FOUND`, `OUTBOX_FULL`, and those of the secrets
   */
  sendActivationMail(guid: string, mail: NewActivationMail): Promise<IssuedActivationMail>;
  /** Mails and what became of them, the oldest first; the last 20,000 and all that wait. */
  mails(): Iterable<MailRecord>;
  /** @throws AdminProblem `MAIL_NOT_FOUND` */
  mail(mailId: string): MailRecord;
  /** Tries waiting mails now, whatever the pauses after their failures. */
  retryMails(): Promise<void>;
  mailSettings(): MailSettingsRecord;
  /** Says where mails go, and tries those that wait. @throws AdminProblem `INVALID_PROPERTY` */
  changeMailSettings(settings: MailSettingsRecord): Promise<void>;
  emailTemplates(): Iterable<EmailTemplateRecord>;
  /** @throws AdminProblem `EMAIL_TEMPLATE_NOT_FOUND` */
  emailTemplate(templateId: string): EmailTemplateRecord;
  /** The versions of a template that are kept, the oldest first. @throws AdminProblem `EMAIL_TEMPLATE_NOT_FOUND` */
  emailTemplateVersions(templateId: string): readonly EmailTemplateRecord[];
  /** Puts a template in force as its next version. @throws AdminProblem `INVALID_PROPERTY` */
  putEmailTemplate(template: Omit<EmailTemplateRecord, 'version' | 'changedAtMs'>): Promise<EmailTemplateRecord>;
  /** Deletes a template; the one for activations falls back to that of the lab. @throws AdminProblem `EMAIL_TEMPLATE_NOT_FOUND` */
  deleteEmailTemplate(templateId: string): Promise<void>;
  /** Mails that arrived in the inbox of the lab, the oldest first; 100 unless `limit` says otherwise. */
  inbox(query?: { readonly to?: string | undefined; readonly after?: string | undefined; readonly limit?: number }): readonly InboxMailRecord[];
  /** @throws AdminProblem `MAIL_NOT_FOUND` */
  inboxMail(inboxId: string): InboxMailRecord;
  /** Devices that count, ended ones apart. */
  devices(): Iterable<DeviceRecord>;
  /** The same with these fields, and no others, of each: for long lists. */
  deviceSummaries<Name extends keyof DeviceSummary>(names: readonly Name[]): Iterable<Pick<DeviceSummary, Name | 'deviceId'>>;
  /** @throws AdminProblem `DEVICE_NOT_FOUND` */
  device(deviceId: string): DeviceRecord;
  /** Those of them that there are. */
  devicesById(deviceIds: readonly string[]): readonly DeviceRecord[];
  devicesOfUser(guid: string): Iterable<DeviceRecord>;
  /** Active devices of a user, with these fields and their ids. */
  deviceSummariesOfUser<Name extends keyof DeviceSummary>(guid: string, names: readonly Name[]): Iterable<Pick<DeviceSummary, Name | 'deviceId'>>;
  /** @throws AdminProblem `USER_NOT_FOUND`, `DEVICE_NOT_FOUND` */
  deviceOfUser(guid: string, deviceId: string): DeviceRecord;
  /** What the device last told about itself. */
  inventory(deviceId: string): InventoryRecord;
  /**
   * Puts a command into the queue of a device and wakes the device (F5.1, F5.2). `REMOVE_DEVICE` is done when it resolves.
   * @throws AdminProblem `DEVICE_NOT_FOUND`, `DEVICE_NOT_ACTIVE`, `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`, `COMMAND_NOT_APPLICABLE`, `QUEUE_FULL`
   */
  sendCommand(deviceId: string, command: NewDeviceCommand): Promise<SentCommand>;
  /** The same in a transaction of the caller. @throws AdminProblem as `sendCommand`, and `USER_NOT_FOUND` */
  planCommand(device: DeviceOwner, command: NewDeviceCommand): PlannedChange<SentCommand>;
  /** @throws AdminProblem `COMMAND_NOT_FOUND` */
  command(deviceId: string, commandId: string): CommandRecord;
  commands(deviceId: string): Iterable<CommandRecord>;
  /** Takes back a command that no device has got yet. @throws AdminProblem `COMMAND_NOT_FOUND`, `COMMAND_SENT` */
  cancelCommand(deviceId: string, commandId: string): Promise<CommandRecord>;
  /** The same in a transaction of the caller. */
  planCancel(device: DeviceOwner, commandId: string): PlannedChange<CommandRecord>;
  /** Removes a device: its certificate is revoked at once, no command reaches it; when it makes contact later it is refused, and deletes its work data.
   * @throws AdminProblem `DEVICE_NOT_FOUND`, `DEVICE_NOT_ACTIVE`
   */
  removeDevice(deviceId: string): Promise<void>;
  /** The same in a transaction of the caller. */
  planRemoval(device: DeviceOwner): PlannedChange<DeviceRecord>;
}

/** Longest life of an activation secret: the 30 days that the vendor documents. */
export const SECRET_LIFE_MS: number = 30 * 86_400_000;
/** Shortest life of an activation secret. */
export const SECRET_LEAST_LIFE_MS = 60_000;

import type { ReadView, WriteView } from '../store/lab-store.ts';
import { type Table, table } from './table.ts';

/** How the connection to an SMTP host is protected. `tls`: from its first byte; `starttls`: required before anything else; `none`: not at all. */
export type SmtpSecurity = 'none' | 'starttls' | 'tls';

/** The SMTP host that mails go to. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly security: SmtpSecurity;
  readonly username?: string | undefined;
  /** Secret: no answer, log or journal shows it. */
  readonly password?: string | undefined;
  /** PEM of authorities that the host's certificate may lead to; absent: those of the platform. */
  readonly ca?: string | undefined;
}

/** Who mails are from and where they go. */
export interface MailSettingsRecord {
  readonly from: string;
  /** Absent: the inbox of the lab itself. */
  readonly smtp?: SmtpSettings | undefined;
}

export const DEFAULT_MAIL_SETTINGS: MailSettingsRecord = { from: 'UEM <uem@lab.invalid>' };

const settings: Table<MailSettingsRecord> = table('mail-settings');
const ONLY = 'this';

export function mailSettings(view: ReadView): MailSettingsRecord {
  return settings.get(view, ONLY) ?? DEFAULT_MAIL_SETTINGS;
}

export function putMailSettings(tx: WriteView, changed: MailSettingsRecord): void {
  settings.put(tx, ONLY, changed);
}

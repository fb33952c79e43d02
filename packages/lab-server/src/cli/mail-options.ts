import { readFileSync } from 'node:fs';
import { ProtocolError } from '@uemkit/protocol';
import { checkMailSettings } from '../admin/check-mail-settings.ts';
import { AdminProblem } from '../admin/problem.ts';
import { DEFAULT_MAIL_SETTINGS, type MailSettingsRecord, type SmtpSecurity, type SmtpSettings } from '../state/mail-settings.ts';

/** Options of `start` that say where mails go. */
export const MAIL_OPTIONS = {
  smtp: {
    type: 'string',
    valueHint: 'HOST:PORT',
    description: "SMTP host that mails to users go to; `inbox` for the lab's own inbox again; as it was set last unless set, and the inbox in a new lab",
  },
  'smtp-security': {
    type: 'string',
    valueHint: 'MODE',
    description: 'starttls, tls or none; starttls unless set, and tls on port 465',
  },
  'smtp-user': { type: 'string', valueHint: 'NAME', description: 'User name at the SMTP host; no log-in unless set' },
  'smtp-password-file': { type: 'string', valueHint: 'FILE', description: 'File with the password of that user, in its first line' },
  'smtp-ca': { type: 'string', valueHint: 'FILE', description: "PEM of authorities that the host's certificate may lead to; those of Node unless set" },
  'mail-from': {
    type: 'string',
    valueHint: 'SENDER',
    description: 'Sender of mails, for example "UEM <uem@example.com>"; UEM <uem@lab.invalid> unless set',
  },
} as const;

export type MailArguments = { readonly [option in keyof typeof MAIL_OPTIONS]?: string | undefined };

/** Name of the lab's own inbox as a destination. */
const INBOX = 'inbox';
/** Mail submission with TLS from the first byte (RFC 8314, 3.3). */
const SUBMISSIONS_PORT = 465;
const MAX_FILE_BYTES = 65_536;

/**
 * The settings that a command line asks for; undefined: those that are in force stay.
 * @throws ProtocolError `ERR_USAGE_ARGUMENT`
 */
export function mailOf(args: MailArguments): MailSettingsRecord | undefined {
  const { smtp, 'mail-from': from = DEFAULT_MAIL_SETTINGS.from } = args;
  const others = (Object.keys(MAIL_OPTIONS) as (keyof MailArguments)[]).filter((option) => option !== 'smtp' && args[option] !== undefined);
  if (smtp === undefined) {
    if (others.length > 0) throw wrong(`--${others[0]} goes with --smtp`);
    return undefined;
  }
  const isInbox = smtp === INBOX;
  const forHost = others.find((option) => option !== 'mail-from');
  if (isInbox && forHost !== undefined) throw wrong(`--${forHost} is for an SMTP host, and --smtp ${INBOX} is none`);
  const settings: MailSettingsRecord = isInbox ? { from } : { from, smtp: hostOf(smtp, args) };
  try {
    checkMailSettings(settings);
  } catch (error) {
    if (error instanceof AdminProblem) throw wrong(inOptions(error.message));
    throw error;
  }
  return settings;
}

function hostOf(text: string, args: MailArguments): SmtpSettings {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw wrong(`--smtp ${text}: is not HOST:PORT, for example mail.example.com:587`);
  const port = Number(digits);
  const { 'smtp-security': security = port === SUBMISSIONS_PORT ? 'tls' : 'starttls', 'smtp-user': username, 'smtp-password-file': file, 'smtp-ca': ca } = args;
  // Of what the file holds nothing is ever said.
  const password = file === undefined ? undefined : (readText('smtp-password-file', file).split(/\r?\n/)[0] as string);
  return { host, port, security: security as SmtpSecurity, username, password, ca: ca === undefined ? undefined : readText('smtp-ca', ca) };
}

function readText(option: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(`--${option} ${file}: cannot be read: ${(error as { readonly code?: string }).code ?? 'unknown'}`);
  }
  if (text.length > MAX_FILE_BYTES) throw wrong(`--${option} ${file}: is larger than ${MAX_FILE_BYTES} bytes`);
  return text;
}

/** Fields of the settings, by the options that they come from. */
const FIELDS: readonly (readonly [field: string, option: string])[] = [
  ['smtp.password: ', '--smtp-password-file and --smtp-user: '],
  ['smtp.host: ', '--smtp: '],
  ['smtp.port: ', '--smtp: '],
  ['smtp.security: ', '--smtp-security: '],
  ['smtp.username: ', '--smtp-user: '],
  ['smtp.ca: ', '--smtp-ca: '],
  ['from: ', '--mail-from: '],
];

function inOptions(message: string): string {
  const [field, option] = FIELDS.find(([name]) => message.startsWith(name)) ?? ['', ''];
  return `${option}${message.slice(field.length)}`;
}

function wrong(message: string): ProtocolError {
  return new ProtocolError('ERR_USAGE_ARGUMENT', message);
}

/** Where mails go, in words. */
export function mailWords({ from, smtp }: MailSettingsRecord): string {
  return smtp === undefined ? 'inbox of the lab' : `${smtp.host}:${smtp.port} (${smtp.security}) from ${from}`;
}

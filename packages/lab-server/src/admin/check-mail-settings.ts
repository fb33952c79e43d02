import type { MailSettingsRecord, SmtpSettings } from '../state/mail-settings.ts';
import { AdminProblem } from './problem.ts';

/** One address as it goes into an envelope: plain, so that it can be nothing else. */
const ADDRESS = /^[^\s@<>(),;:"'\\[\]]{1,64}@[^\s@<>(),;:"'\\[\]]{1,255}$/;

/** True for an address that a mail can be sent to. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text);
}

/** @throws AdminProblem `INVALID_PROPERTY` */
export function checkMailSettings({ from, smtp }: MailSettingsRecord): void {
  const [, name = '', bracketed] = /^([^<>"\p{Cc}]*)<([^<>]*)>$/u.exec(from) ?? [];
  if (from.length > 254 || name.length > 128 || !isMailAddress(bracketed ?? from))
    throw new AdminProblem('INVALID_PROPERTY', 'from: is neither an e-mail address nor a name with an address in angle brackets');
  if (smtp !== undefined) checkSmtp(smtp);
}

function checkSmtp({ host, port, security, username, password, ca }: SmtpSettings): void {
  if (!/^[\w.:-]{1,253}$/.test(host)) throw new AdminProblem('INVALID_PROPERTY', 'smtp.host: is not the name or address of a host');
  if (!Number.isSafeInteger(port) || port < 1 || port > 65_535) throw new AdminProblem('INVALID_PROPERTY', 'smtp.port: is not a port');
  if (!['none', 'starttls', 'tls'].includes(security)) throw new AdminProblem('INVALID_PROPERTY', 'smtp.security: is not none, starttls or tls');
  if ((username === undefined) !== (password === undefined)) throw new AdminProblem('INVALID_PROPERTY', 'smtp.password: goes with a user name');
  if (username !== undefined && (username.length < 1 || username.length > 255))
    throw new AdminProblem('INVALID_PROPERTY', 'smtp.username: is not 1 to 255 characters');
  if (password !== undefined && (password.length < 1 || password.length > 1_024))
    throw new AdminProblem('INVALID_PROPERTY', 'smtp.password: is not 1 to 1024 characters');
  // A password must not travel where everybody reads it; on this machine nobody does.
  if (username !== undefined && security === 'none' && !/^(?:127\.0\.0\.1|::1|localhost)$/.test(host))
    throw new AdminProblem('INVALID_PROPERTY', 'smtp.security: a password needs starttls or tls');
  if (ca !== undefined && (ca.length > 65_536 || !ca.includes('-----BEGIN CERTIFICATE-----')))
    throw new AdminProblem('INVALID_PROPERTY', 'smtp.ca: is not PEM of certificates');
}

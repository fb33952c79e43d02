import type { Administration, IssuedPassword, IssuedQrCode, NewActivationMail, NewPassword, NewSecret } from '../admin/administration.ts';
import { AdminProblem } from '../admin/problem.ts';
import type { ActivationPasswordBody } from './schemas.ts';
import { timeOf } from './views.ts';

/** One entry of the request as it is to be made. */
interface Wanted {
  readonly entry: ActivationPasswordBody;
  readonly secret: NewPassword & NewSecret;
}

/**
 * Makes what the entries ask for: those that name a template in one mail, the others to be told by the administrator (F1.1c).
 * @throws AdminProblem as `setActivationPassword`, `createQrCode` and `sendActivationMail`
 */
export async function issueActivationPasswords(
  admin: Administration,
  guid: string,
  entries: readonly ActivationPasswordBody[],
  { replacesAll = false }: { readonly replacesAll?: boolean } = {},
): Promise<readonly object[]> {
  const wanted = entries.map((entry, index): Wanted => ({ entry, secret: { ...secretOf(entry, `activationPasswords.${index}`), replacesAll } }));
  const mailed = wanted.filter(({ entry }) => entry.emailTemplate !== undefined);
  const [first, second] = mailed.map(({ entry }) => entry.emailTemplate?.guid);
  if (second !== undefined && first !== second) throw new AdminProblem('INVALID_PROPERTY', 'activationPasswords.1.emailTemplate: one mail has one template');
  // None is made when one is refused: the ones before would be gone, and nobody told the new ones.
  for (const { entry, secret } of wanted) admin.checkActivationSecret(guid, entry.qrCode === true ? 'qr' : 'password', secret);
  const sent = first === undefined ? undefined : await admin.sendActivationMail(guid, mailOf(mailed, first));
  const answers: object[] = [];
  for (const { entry, secret } of wanted) {
    const isMailed = entry.emailTemplate !== undefined;
    const issued =
      entry.qrCode === true
        ? ((isMailed ? sent?.qrCode : undefined) ?? (await admin.createQrCode(guid, secret)))
        : ((isMailed ? sent?.password : undefined) ?? (await admin.setActivationPassword(guid, secret)));
    answers.push({ ...issuedView(issued, entry, admin), ...(isMailed ? { mail: { guid: sent?.mail.mailId } } : {}) });
  }
  return answers;
}

function mailOf(mailed: readonly Wanted[], template: string): NewActivationMail {
  const ofKind = (qrCode: boolean): Wanted['secret'] | undefined => mailed.find(({ entry }) => (entry.qrCode === true) === qrCode)?.secret;
  return { password: ofKind(false), qrCode: ofKind(true), template };
}

function secretOf({ expiry, expireAfterUse, activationProfile, paired, password, qrCode }: ActivationPasswordBody, field: string): NewPassword {
  const secret = { expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry), expireAfterUse, profileId: activationProfile?.guid, paired };
  // The secret of a QR code is never one that a person chose.
  if (qrCode === true && typeof password === 'string')
    throw new AdminProblem('INVALID_PROPERTY', `${field}.password: the secret of a QR code is made by the server`);
  return qrCode === true ? secret : { ...secret, password: passwordOf(password, field) };
}

function issuedView(issued: IssuedPassword | IssuedQrCode, { expireAfterUse, activationProfile }: ActivationPasswordBody, admin: Administration): object {
  const common = {
    expiry: timeOf(issued.expiresAtMs),
    expireAfterUse: expireAfterUse ?? admin.activationSettings().expireAfterUse,
    paired: issued.slot > 0,
    ...(activationProfile === undefined ? {} : { activationProfile }),
  };
  if ('content' in issued) return { kind: 'QR_CODE', qrCodeContent: issued.content, ...common };
  return { kind: 'PASSWORD', password: Buffer.from(issued.password, 'utf8').toString('base64'), ...common };
}

function passwordOf(base64: string | null | undefined, field: string): string | undefined {
  if (base64 === undefined || base64 === null) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw new AdminProblem('INVALID_PROPERTY', `${field}.password: is not base64 of UTF-8 text`);
  }
}

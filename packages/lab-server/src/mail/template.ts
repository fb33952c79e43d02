import { AdminProblem } from '../admin/problem.ts';

/** What a mail may say, by the name of the placeholder: `{{displayName}}`. */
export interface TemplateValues {
  readonly displayName: string;
  readonly username: string;
  readonly emailAddress: string;
  readonly organization: string;
  /** `host:port` that a user types when asked for a server; only in activation mails. */
  readonly serverAddress?: string | undefined;
  /** When what the mail says is of no use any more: `2026-06-01 12:00 UTC`. */
  readonly expiry: string;
  /** Model of the device that the mail is about; not in activation mails. */
  readonly device?: string | undefined;
  /** Broken rules of compliance, one a line; only in mails that ask for compliance. */
  readonly findings?: string | undefined;
  /** Absent: the part of the template between `{{#password}}` and `{{/password}}` is left out. */
  readonly password?: string | undefined;
  /** As people read it, `01234-56789-ABCDE`; only in mails with an access key. */
  readonly accessKey?: string | undefined;
  /** Stands for the picture; absent: the part between `{{#qrCode}}` and `{{/qrCode}}` is left out. */
  readonly qrCode?: string | undefined;
}

/** Names of the placeholders. */
export const PLACEHOLDERS = [
  'displayName',
  'username',
  'emailAddress',
  'organization',
  'serverAddress',
  'expiry',
  'device',
  'findings',
  'password',
  'accessKey',
  'qrCode',
] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];
/** What may be missing, so that it stands in a part of its own. */
const OPTIONAL: readonly Placeholder[] = ['password', 'qrCode'];

/** What must not stand in a subject, which is shown where nobody guards it. */
export const SECRET_PLACEHOLDERS: readonly Placeholder[] = ['password', 'accessKey', 'qrCode'];

/** Name of the picture inside the mail (RFC 2392). */
export const QR_CODE_CID = 'qr-code@uem';

const TAG = /\{\{([#/]?)\s*([^{}]*?)\s*\}\}/g;

/**
 * Checks a template before it is kept.
 * @throws AdminProblem `INVALID_PROPERTY` with the name of the field
 */
export function checkTemplate(template: string, field: string): void {
  let open: string | undefined;
  for (const [, kind, name = ''] of template.matchAll(TAG)) {
    if (!isPlaceholder(name)) throw new AdminProblem('INVALID_PROPERTY', `${field}: there is no placeholder {{${name.slice(0, 40)}}}`);
    if (kind === '#') {
      if (open !== undefined || !OPTIONAL.includes(name)) throw new AdminProblem('INVALID_PROPERTY', `${field}: {{#${name}}} cannot begin here`);
      open = name;
    }
    if (kind === '/') {
      if (open !== name) throw new AdminProblem('INVALID_PROPERTY', `${field}: {{/${name}}} ends nothing`);
      open = undefined;
    }
  }
  if (open !== undefined) throw new AdminProblem('INVALID_PROPERTY', `${field}: {{#${open}}} does not end`);
}

/** Fills a text template in. */
export function renderText(template: string, values: TemplateValues): string {
  const withPicture = { ...values, qrCode: values.qrCode === undefined ? undefined : '(the picture in this mail)' };
  return render(template, withPicture, (value) => value);
}

/** Fills a template for one line of a header in: no value can begin another header. */
export function renderSubject(template: string, values: TemplateValues): string {
  return renderText(template, values)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}

/** Fills an HTML template in; values are text and cannot become markup. */
export function renderHtml(template: string, values: TemplateValues): string {
  return render(template, values, (value, name) => (name === 'qrCode' ? `<img src="cid:${QR_CODE_CID}" alt="Activation QR code">` : escapeHtml(value)));
}

function render(template: string, values: TemplateValues, write: (value: string, name: Placeholder) => string): string {
  let text = '';
  let at = 0;
  let hidden = false;
  for (const tag of template.matchAll(TAG)) {
    const [whole, kind, name = ''] = tag;
    if (!hidden) text += template.slice(at, tag.index);
    at = tag.index + whole.length;
    const value = isPlaceholder(name) ? values[name] : undefined;
    if (kind === '#') hidden = value === undefined;
    else if (kind === '/') hidden = false;
    else if (!hidden) text += value === undefined ? '' : write(value, name as Placeholder);
  }
  return hidden ? text : text + template.slice(at);
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

import type { ReadView, WriteView } from '../store/lab-store.ts';
import { joinId, type PageQuery, partOf, type Row, sortable, type Table, table } from './table.ts';

/** Text of a mail with placeholders (F1.1c). */
export interface EmailTemplateRecord {
  readonly templateId: string;
  /** 1 for the first, one more with each change. */
  readonly version: number;
  readonly name: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly changedAtMs: number;
}

/** Templates of a tenant. */
export const MAX_TEMPLATES = 200;
/** Versions of one template that are kept. */
export const MAX_TEMPLATE_VERSIONS = 20;

const templates: Table<EmailTemplateRecord> = table('email-template');
const versions: Table<EmailTemplateRecord> = table('email-template-version');

/** Puts a template in force as its next version; the oldest version makes room. */
export function putEmailTemplate(tx: WriteView, template: Omit<EmailTemplateRecord, 'version'>): EmailTemplateRecord {
  const { templateId } = template;
  const before = listTemplateVersions(tx, templateId);
  const next: EmailTemplateRecord = { ...template, version: (before.at(-1)?.version ?? 0) + 1 };
  templates.put(tx, templateId, next);
  versions.put(tx, joinId(templateId, sortable(next.version)), next);
  const oldest = before.length >= MAX_TEMPLATE_VERSIONS ? before[0] : undefined;
  if (oldest !== undefined) versions.delete(tx, joinId(templateId, sortable(oldest.version)));
  return next;
}

/** The version in force. */
export function emailTemplate(view: ReadView, templateId: string): EmailTemplateRecord | undefined {
  return templates.get(view, templateId);
}

export function listEmailTemplates(view: ReadView, query: PageQuery): readonly Row<EmailTemplateRecord>[] {
  return templates.page(view, query);
}

/** The kept versions of a template, the oldest first. */
export function listTemplateVersions(view: ReadView, templateId: string): readonly EmailTemplateRecord[] {
  return versions.page(view, { under: partOf(templateId), limit: MAX_TEMPLATE_VERSIONS }).map(({ record }) => record);
}

/** Forgets a template with its versions; mails that are on their way have their text already. */
export function deleteEmailTemplate(tx: WriteView, templateId: string): boolean {
  if (templates.get(tx, templateId) === undefined) return false;
  templates.delete(tx, templateId);
  for (const { version } of listTemplateVersions(tx, templateId)) versions.delete(tx, joinId(templateId, sortable(version)));
  return true;
}

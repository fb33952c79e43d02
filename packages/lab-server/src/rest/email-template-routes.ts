import * as v from 'valibot';
import type { Administration } from '../admin/administration.ts';
import type { EmailTemplateRecord } from '../state/email-templates.ts';
import { type BodySchema, component, guidText, line, pageView, timeText, type ViewSchema } from './components.ts';
import { pageLinks, pageOf } from './paging.ts';
import { EMAIL_TEMPLATE_PART } from './parts.ts';
import { type Route, route } from './route.ts';
import { timeOf } from './views.ts';

type TemplateBody = Pick<EmailTemplateRecord, 'name' | 'subject' | 'text' | 'html'>;

const longText = v.pipe(v.string(), v.minLength(1), v.maxLength(20_000));
const FIELDS = { name: line(128), subject: line(200), text: longText, html: longText };

/** PUT /emailTemplates/{template} */
const templateBody: BodySchema<TemplateBody> = component('NewEmailTemplate', v.strictObject(FIELDS));

const templateView: ViewSchema = component(
  'EmailTemplate',
  v.strictObject({
    guid: guidText,
    version: v.pipe(v.number(), v.integer(), v.minValue(0), v.description('0: as the lab comes with it')),
    ...FIELDS,
    changed: v.optional(timeText),
  }),
);
const templatesView: ViewSchema = pageView('EmailTemplates', 'emailTemplates', templateView);
const versionsView: ViewSchema = component('EmailTemplateVersions', v.strictObject({ versions: v.array(templateView) }));

const TEMPLATE_FIELDS = ['guid', 'name'] as const;

/** Templates of the mails to users, with placeholders (F1.1c). */
export function emailTemplateRoutes(admin: Administration): readonly Route[] {
  return [
    route({
      id: 'listEmailTemplates',
      method: 'GET',
      path: '/emailTemplates',
      summary: 'Lists e-mail templates',
      tag: 'mail',
      role: 'readOnly',
      list: TEMPLATE_FIELDS,
      answers: { 200: { noun: 'emailtemplates', schema: templatesView } },
      run({ list, base }) {
        const page = pageOf(admin.emailTemplates(), list, (template, field) => (field === 'guid' ? template.templateId : template.name));
        return { status: 200, body: { emailTemplates: page.items.map(viewOf), links: pageLinks(`${base}/emailTemplates`, list, page.hasMore) } };
      },
    }),
    route({
      id: 'getEmailTemplate',
      method: 'GET',
      path: '/emailTemplates/{template}',
      summary: 'Shows the version of a template that is in force',
      tag: 'mail',
      role: 'readOnly',
      parts: { template: EMAIL_TEMPLATE_PART },
      answers: { 200: { noun: 'emailtemplate', schema: templateView } },
      problems: ['EMAIL_TEMPLATE_NOT_FOUND'],
      run: ({ parts }) => ({ status: 200, body: viewOf(admin.emailTemplate(parts.template)) }),
    }),
    route({
      id: 'listEmailTemplateVersions',
      method: 'GET',
      path: '/emailTemplates/{template}/versions',
      summary: 'Lists the kept versions of a template, the oldest first',
      tag: 'mail',
      role: 'readOnly',
      parts: { template: EMAIL_TEMPLATE_PART },
      answers: { 200: { schema: versionsView } },
      problems: ['EMAIL_TEMPLATE_NOT_FOUND'],
      run: ({ parts }) => ({ status: 200, body: { versions: admin.emailTemplateVersions(parts.template).map(viewOf) } }),
    }),
    route({
      id: 'putEmailTemplate',
      method: 'PUT',
      path: '/emailTemplates/{template}',
      summary: 'Puts a template in force as its next version',
      tag: 'mail',
      role: 'administrator',
      parts: { template: EMAIL_TEMPLATE_PART },
      body: { noun: 'emailtemplate', schema: templateBody },
      answers: { 200: { noun: 'emailtemplate', schema: templateView } },
      async run({ parts, body }) {
        return { status: 200, body: viewOf(await admin.putEmailTemplate({ templateId: parts.template, ...body })) };
      },
    }),
    route({
      id: 'deleteEmailTemplate',
      method: 'DELETE',
      path: '/emailTemplates/{template}',
      summary: 'Deletes a template; the one for activations falls back to that of the lab',
      tag: 'mail',
      role: 'administrator',
      parts: { template: EMAIL_TEMPLATE_PART },
      answers: { 204: {} },
      problems: ['EMAIL_TEMPLATE_NOT_FOUND'],
      async run({ parts }) {
        await admin.deleteEmailTemplate(parts.template);
        return { status: 204 };
      },
    }),
  ];
}

function viewOf({ templateId, version, name, subject, text, html, changedAtMs }: EmailTemplateRecord): object {
  return { guid: templateId, version, name, subject, text, html, ...(version === 0 ? {} : { changed: timeOf(changedAtMs) }) };
}

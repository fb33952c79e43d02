import { type EmailTemplateRecord, emailTemplate } from '../state/email-templates.ts';
import type { ReadView } from '../store/lab-store.ts';
import { ACCESS_KEY_TEMPLATE } from './access-key-template.ts';
import { ACTIVATION_TEMPLATE } from './activation-template.ts';
import { COMPLIANCE_TEMPLATE, DEVICE_PASSWORD_TEMPLATE } from './device-templates.ts';

/** Templates that the lab comes with; one that the administrator puts under the same id takes their place, and they are there again when that is deleted. */
export const BUILT_IN_TEMPLATES: readonly EmailTemplateRecord[] = [ACTIVATION_TEMPLATE, ACCESS_KEY_TEMPLATE, COMPLIANCE_TEMPLATE, DEVICE_PASSWORD_TEMPLATE];

/** The template of this id as mails have it now; undefined: there is none. */
export function templateInForce(view: ReadView, templateId: string): EmailTemplateRecord | undefined {
  return emailTemplate(view, templateId) ?? BUILT_IN_TEMPLATES.find((template) => template.templateId === templateId);
}

import type { EmailTemplateRecord } from '../state/email-templates.ts';

/** Id of the template of mails that ask a user to bring a device back into compliance. */
export const COMPLIANCE_TEMPLATE_ID = 'compliance';
/** Id of the template of mails that tell a user a device password that UEM made. */
export const DEVICE_PASSWORD_TEMPLATE_ID = 'device-password';

/** A prompt of a compliance rule whose method is e-mail. In force until the administrator puts another text under its id. */
export const COMPLIANCE_TEMPLATE: EmailTemplateRecord = {
  templateId: COMPLIANCE_TEMPLATE_ID,
  version: 0,
  name: 'Device out of compliance',
  subject: 'Your device does not keep the rules of {{organization}}',
  text: `Hello {{displayName}},

your device {{device}} does not keep the rules of {{organization}}:

{{findings}}

Please bring it back into compliance until {{expiry}}.
`,
  html: `<p>Hello {{displayName}},</p>
<p>your device {{device}} does not keep the rules of {{organization}}:</p>
<pre>{{findings}}</pre>
<p>Please bring it back into compliance until {{expiry}}.</p>
`,
  changedAtMs: 0,
};

/** The mail of `GENERATE_DEVICE_PASSWORD_AND_LOCK` (F5.1). In force until the administrator puts another text under its id. */
export const DEVICE_PASSWORD_TEMPLATE: EmailTemplateRecord = {
  templateId: DEVICE_PASSWORD_TEMPLATE_ID,
  version: 0,
  name: 'New device password',
  subject: 'Your device has been locked by {{organization}}',
  text: `Hello {{displayName}},

your device {{device}} has been locked, and it has a new device password:

  {{password}}

Unlock the device with it, and then choose a password of your own.
`,
  html: `<p>Hello {{displayName}},</p>
<p>your device {{device}} has been locked, and it has a new device password:</p>
<p><code>{{password}}</code></p>
<p>Unlock the device with it, and then choose a password of your own.</p>
`,
  changedAtMs: 0,
};

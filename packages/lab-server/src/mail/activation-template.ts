import type { EmailTemplateRecord } from '../state/email-templates.ts';

/** Id of the template that activation mails have when none is named. */
export const ACTIVATION_TEMPLATE_ID = 'activation';

/** The activation mail as the lab comes with it (F1.1c). In force until the administrator puts another text under its id. */
export const ACTIVATION_TEMPLATE: EmailTemplateRecord = {
  templateId: ACTIVATION_TEMPLATE_ID,
  version: 0,
  name: 'Device activation',
  subject: 'Activate your device for {{organization}}',
  text: `Hello {{displayName}},

your administrator asks you to activate your device.
{{#qrCode}}
With the QR code: install the UEM Client, choose to scan a code, and point the camera at {{qrCode}}.
{{/qrCode}}{{#password}}
With a password: install the UEM Client and enter

  user name  {{username}}
  password   {{password}}
  server     {{serverAddress}}   (only if you are asked)
{{/password}}
This is good until {{expiry}}.
`,
  html: `<p>Hello {{displayName}},</p>
<p>your administrator asks you to activate your device.</p>
{{#qrCode}}<p>With the QR code: install the UEM Client, choose to scan a code, and point the camera at this picture.</p>
<p>{{qrCode}}</p>
{{/qrCode}}{{#password}}<p>With a password: install the UEM Client and enter</p>
<table>
<tr><td>user name</td><td><code>{{username}}</code></td></tr>
<tr><td>password</td><td><code>{{password}}</code></td></tr>
<tr><td>server (only if you are asked)</td><td><code>{{serverAddress}}</code></td></tr>
</table>
{{/password}}<p>This is good until {{expiry}}.</p>
`,
  changedAtMs: 0,
};

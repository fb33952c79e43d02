import type { EmailTemplateRecord } from '../state/email-templates.ts';

/** Id of the template that mails with an access key have when none is named. */
export const ACCESS_KEY_TEMPLATE_ID = 'access-key';

/** The mail with an access key as the lab comes with it (F3.5b). In force until the administrator puts another text under its id. */
export const ACCESS_KEY_TEMPLATE: EmailTemplateRecord = {
  templateId: ACCESS_KEY_TEMPLATE_ID,
  version: 0,
  name: 'Access key for an app',
  subject: 'Activate your app for {{organization}}',
  text: `Hello {{displayName}},

with this access key you can activate one app of {{organization}}. Open the app and enter

  e-mail address or user name  {{username}}
  access key                   {{accessKey}}

It can be used once, until {{expiry}}.
`,
  html: `<p>Hello {{displayName}},</p>
<p>with this access key you can activate one app of {{organization}}. Open the app and enter</p>
<table>
<tr><td>e-mail address or user name</td><td><code>{{username}}</code></td></tr>
<tr><td>access key</td><td><code>{{accessKey}}</code></td></tr>
</table>
<p>It can be used once, until {{expiry}}.</p>
`,
  changedAtMs: 0,
};

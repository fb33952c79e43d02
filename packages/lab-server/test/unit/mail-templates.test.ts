import { describe, expect, it } from 'vitest';
import { ACTIVATION_TEMPLATE } from '../../src/mail/activation-template.ts';
import { checkTemplate, renderHtml, renderSubject, renderText, type TemplateValues } from '../../src/mail/template.ts';

const VALUES: TemplateValues = {
  displayName: 'Ada <b>Lovelace</b> & "Co"',
  username: 'ada',
  emailAddress: 'ada@example.com',
  organization: 'Lab',
  serverAddress: 'lab.example:443',
  expiry: '2026-06-01 12:00 UTC',
  password: 'k7m2q9x4zt',
  qrCode: 'content-of-the-code',
};

describe('templates of mails', () => {
  it('come with one that is valid and says everything', () => {
    const { subject, text, html } = ACTIVATION_TEMPLATE;
    for (const part of [subject, text, html]) expect(() => checkTemplate(part, 'text')).not.toThrow();
    expect(renderText(text, VALUES)).toContain('password   k7m2q9x4zt');
    expect(renderHtml(html, VALUES)).toContain('<img src="cid:qr-code@uem"');
    expect(renderSubject(subject, VALUES)).toBe('Activate your device for Lab');
  });

  it('leave the part of a secret out that there is not', () => {
    const { text, html } = ACTIVATION_TEMPLATE;
    expect(renderText(text, { ...VALUES, password: undefined })).not.toMatch(/password|user name/);
    expect(renderHtml(html, { ...VALUES, qrCode: undefined })).not.toMatch(/QR|img/);
  });

  it('let no value become markup, and no value begin another header', () => {
    expect(renderHtml('{{displayName}}', VALUES)).toBe('Ada &lt;b&gt;Lovelace&lt;/b&gt; &amp; &quot;Co&quot;');
    expect(renderSubject('For {{displayName}}', { ...VALUES, displayName: 'Eve\r\nBcc: all@example.com\u0000' })).toBe('For Eve Bcc: all@example.com');
    expect(renderText('{{displayName}}', { ...VALUES, displayName: '{{password}}' })).toBe('{{password}}');
    expect(renderText('{{qrCode}}', VALUES)).not.toContain('content-of-the-code');
  });

  it.each([
    ['an unknown placeholder', '{{secret}}', 'there is no placeholder {{secret}}'],
    ['what every object has', '{{constructor}}', 'there is no placeholder {{constructor}}'],
    ['a part that does not end', '{{#password}}x', '{{#password}} does not end'],
    ['a part that does not begin', 'x{{/password}}', '{{/password}} ends nothing'],
    ['a part inside a part', '{{#password}}{{#qrCode}}{{/qrCode}}{{/password}}', '{{#qrCode}} cannot begin here'],
    ['a part of what is always there', '{{#username}}{{/username}}', '{{#username}} cannot begin here'],
  ])('are refused with %s', (_name, template, problem) => {
    expect(() => checkTemplate(template, 'text')).toThrow(`text: ${problem}`);
  });
});

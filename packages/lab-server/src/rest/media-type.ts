/** Nouns of the documented media types `application/vnd.blackberry.<noun>-v1+json`. */
export type MediaNoun =
  | 'accesskey'
  | 'accesskeys'
  | 'activationpassword'
  | 'activationpasswords'
  | 'application'
  | 'applications'
  | 'applicationserver'
  | 'applicationservers'
  | 'administrator'
  | 'administrators'
  | 'apppolicies'
  | 'apppolicy'
  | 'auditlog'
  | 'authorizationrequest'
  | 'command'
  | 'commands'
  | 'devicecommands'
  | 'devicegroup'
  | 'devicegroups'
  | 'devices'
  | 'dynamicsapp'
  | 'dynamicsapps'
  | 'emailtemplate'
  | 'emailtemplates'
  | 'error'
  | 'events'
  | 'group'
  | 'groups'
  | 'licensing'
  | 'ping'
  | 'policies'
  | 'policy'
  | 'policydefinition'
  | 'profile'
  | 'profiles'
  | 'services'
  | 'systeminfo'
  | 'unlockkey'
  | 'user'
  | 'userdetail'
  | 'userdevice'
  | 'userdevices'
  | 'users';

/** Media type of a noun. */
export function restMediaType(noun: MediaNoun): string {
  return `application/vnd.blackberry.${noun}-v1+json`;
}

/** Media type of answers that go on: one JSON document a line. */
export const LINES_MEDIA_TYPE = 'application/x-ndjson';

/** Media type of the lab's own routes. */
export const JSON_MEDIA_TYPE = 'application/json';

/** True when a body of type `contentType` may be read as `noun`: the documented type, or plain JSON. */
export function acceptsBody(contentType: string, noun: MediaNoun | undefined): boolean {
  return contentType === JSON_MEDIA_TYPE || (noun !== undefined && contentType === restMediaType(noun));
}

/** True when an `Accept` header names the media type of lines. */
export function acceptsLines(accept: string): boolean {
  return accept !== '' && accept.split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === LINES_MEDIA_TYPE);
}

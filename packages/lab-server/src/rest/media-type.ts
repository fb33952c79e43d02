/** Nouns of the documented media types `application/vnd.blackberry.<noun>-v1+json`. */
export type MediaNoun =
  | 'activationpassword'
  | 'activationpasswords'
  | 'application'
  | 'applications'
  | 'applicationserver'
  | 'applicationservers'
  | 'administrator'
  | 'administrators'
  | 'auditlog'
  | 'authorizationrequest'
  | 'command'
  | 'commands'
  | 'devicecommands'
  | 'devicegroup'
  | 'devicegroups'
  | 'devices'
  | 'emailtemplate'
  | 'emailtemplates'
  | 'error'
  | 'group'
  | 'groups'
  | 'ping'
  | 'policies'
  | 'policy'
  | 'profile'
  | 'profiles'
  | 'services'
  | 'systeminfo'
  | 'user'
  | 'userdetail'
  | 'userdevice'
  | 'userdevices'
  | 'users';

/** Media type of a noun. */
export function restMediaType(noun: MediaNoun): string {
  return `application/vnd.blackberry.${noun}-v1+json`;
}

/** Media type of the lab's own routes. */
export const JSON_MEDIA_TYPE = 'application/json';

/** True when a body of type `contentType` may be read as `noun`: the documented type, or plain JSON. */
export function acceptsBody(contentType: string, noun: MediaNoun | undefined): boolean {
  return contentType === JSON_MEDIA_TYPE || (noun !== undefined && contentType === restMediaType(noun));
}

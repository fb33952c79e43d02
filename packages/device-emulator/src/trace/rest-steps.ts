/** What an administrator does before a device is activated (F1.1): users, credentials, activation profiles, mails. Everything else that changes something is F5.1, unless it is about apps. */
const BEFORE_ACTIVATION = /\/v1\/users(\/[^/]+)?$|\/activationPasswords|^\/lab\/v1\/profiles|[eE]mail/;
/** Apps, and to whom they are assigned (F3.1); commands to one that is installed are not among it. */
const APPS = /\/applications(\/[^/]+)?$/;
const LAB = '/lab/v1/';

/** Flow step of a request to the admin REST API; undefined for one that asks or belongs to no flow. */
export function restStep(method: string, path: string): 'F1.1' | 'F3.1' | 'F5.1' | undefined {
  if (method === 'GET' || path.endsWith('/util/authorization')) return undefined;
  if (BEFORE_ACTIVATION.test(path)) return 'F1.1';
  if (APPS.test(path)) return 'F3.1';
  return path.startsWith(LAB) ? undefined : 'F5.1';
}

/** True for a request that causes a fault on purpose, or ends one. */
export function causesFault(method: string, path: string): boolean {
  return method !== 'GET' && path.startsWith(`${LAB}faults`);
}

/** An id in a path: it has a digit, as words of the API have not, or is longer than they are. */
const ID = /^(?=.*\d)[\w.~%-]{6,}$|^[\w.~%-]{33,}$/;

/** A request in two words: the method, and what it is about. */
export function shortRequest(method: string, path: string): string {
  const parts = (path.split('?')[0] as string).split('/').filter((part) => part !== '' && !ID.test(part));
  return `${method} ${parts.at(-1) ?? path}`;
}

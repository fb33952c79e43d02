import { Agent, request } from 'undici';
import type { Lab } from './command-line.ts';
import type { Administrator } from './story.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Signs in to the admin REST API of a lab. */
export async function signIn(lab: Lab): Promise<Administrator & { close(): Promise<void> }> {
  const dispatcher = new Agent({ connect: { ca: lab.ca } });
  let authorization = '';
  const call = async (method: 'GET' | 'POST', path: string, noun: string, json?: unknown): Promise<string> => {
    const headers = { 'content-type': `application/vnd.blackberry.${noun}-v1+json`, ...(authorization === '' ? {} : { authorization }) };
    const body = json === undefined ? null : JSON.stringify(json);
    const answer = await request(`${lab.admin}/${lab.tenantId}/api/v1${path}`, { method, dispatcher, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return text;
  };
  const { username, password } = lab.administrator;
  authorization = await call('POST', '/util/authorization', 'authorizationrequest', { username, password: base64(password), provider: 'LOCAL' });

  return {
    async addUser(userId) {
      const { guid } = JSON.parse(await call('POST', '/users', 'user', { username: userId }));
      const issued = JSON.parse(await call('POST', `/users/${guid}/activationPasswords`, 'activationpasswords', { activationPasswords: [{}] }));
      return Buffer.from(issued.activationPasswords[0].password, 'base64').toString();
    },
    async send(userId, deviceId, type) {
      const { users } = JSON.parse(await call('GET', `/users?query=${encodeURIComponent(`username=${userId}`)}`, 'users'));
      await call('POST', `/users/${users[0].guid}/userDevices/${deviceId}/commands`, 'command', { type });
    },
    close: () => dispatcher.close(),
  };
}

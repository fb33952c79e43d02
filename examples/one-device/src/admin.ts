import { Agent, request } from 'undici';
import type { Lab } from './command-line.ts';
import type { Administrator } from './story.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Signs in to the admin REST API of a lab. */
export async function signIn(lab: Lab): Promise<Administrator & { close(): Promise<void> }> {
  const dispatcher = new Agent({ connect: { ca: lab.ca } });
  let authorization = '';
  const post = async (path: string, noun: string, json: unknown): Promise<string> => {
    const headers = { 'content-type': `application/vnd.blackberry.${noun}-v1+json`, ...(authorization === '' ? {} : { authorization }) };
    const answer = await request(`${lab.admin}/${lab.tenantId}/api/v1${path}`, { method: 'POST', dispatcher, headers, body: JSON.stringify(json) });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`POST ${path}: ${answer.statusCode} ${text}`);
    return text;
  };
  const { username, password } = lab.administrator;
  authorization = await post('/util/authorization', 'authorizationrequest', { username, password: base64(password), provider: 'LOCAL' });

  let user = '';
  return {
    async addUser(userId) {
      user = JSON.parse(await post('/users', 'user', { username: userId })).guid;
      const issued = JSON.parse(await post(`/users/${user}/activationPasswords`, 'activationpasswords', { activationPasswords: [{}] }));
      return Buffer.from(issued.activationPasswords[0].password, 'base64').toString();
    },
    async send(deviceId, type) {
      await post(`/users/${user}/userDevices/${deviceId}/commands`, 'command', { type });
    },
    close: () => dispatcher.close(),
  };
}

import type { PasswordCredentials, UemClient, UemClientEvents } from '@uemkit/uem-client';

/** What the administrator does in this story. */
export interface Administrator {
  /** Adds a user and gives the activation password. */
  addUser(userId: string): Promise<string>;
  send(userId: string, deviceId: string, command: string): Promise<void>;
}

export interface Story {
  readonly client: UemClient;
  readonly admin: Administrator;
  readonly infrastructure: PasswordCredentials['infrastructure'];
  say(line: string): void;
  /** Somebody whom the administrator has added already; unless set, a user is added. */
  readonly user?: User | undefined;
}

export interface User {
  readonly userId: string;
  /** Activation password. */
  readonly password: string;
}

/** One device is activated, woken and managed. */
export async function story({ client, admin, infrastructure, say, user }: Story): Promise<void> {
  client.addEventListener('activationprogress', ({ detail }) => say(`${detail.step} ${detail.phase}`));
  client.addEventListener('wakeup', () => say('F5.2 woken up'));
  client.addEventListener('commanddone', ({ detail }) => say(`F5.5 ${detail.type} ${detail.status}`));

  // The administrator adds a user with an activation password (F1.1); the user types both on the device (F1.2).
  const userId = user?.userId ?? `alice-${Math.floor(Math.random() * 1e9)}@example.com`;
  const password = user?.password ?? (await admin.addUser(userId));
  await client.open();
  await client.activate({ kind: 'password', userId, password, infrastructure });

  // From now on the device is told what to do, by push or in the next poll.
  client.start();
  await next(client, 'pushopen');
  await next(client, 'idle');
  for (const command of ['LOCK_DEVICE', 'REQUEST_DEVICE_INFO']) {
    const answered = next(client, 'commandanswered');
    await admin.send(userId, client.deviceId as string, command);
    await answered;
  }
  await client.close();
}

function next(client: UemClient, name: keyof UemClientEvents): Promise<void> {
  return new Promise((resolve) => client.addEventListener(name, () => resolve(), { once: true }));
}

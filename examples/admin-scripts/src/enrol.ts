import { appendFile } from 'node:fs/promises';
import { type Api, answered, Refused } from './api.ts';
import { csvRow } from './csv.ts';
import type { Person } from './people.ts';

/** A person whom the server knows. `password` is there when it was made just now: the server tells it once. */
export interface Enrolled {
  readonly guid: string;
  readonly username: string;
  readonly password: string | undefined;
}

/** Calls under way at once: the server makes a password in 70 ms of one core, so more would only wait there. */
const WIDTH = 4;
/** How often a server that is busy is asked again. */
const TRIES = 20;

/** Adds everybody with an activation password. Who is there already is left alone, so that it can be run again after anything. */
export async function enrol(
  api: Api,
  people: readonly Person[],
  { passwords, say }: { readonly passwords: string; say(line: string): void },
): Promise<readonly Enrolled[]> {
  const enrolled: Enrolled[] = new Array(people.length);
  const step = Math.max(1, Math.ceil(people.length / 5));
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < people.length) {
      const index = next++;
      const person = people[index] as Person;
      const one = await enrolOne(api, person);
      enrolled[index] = one;
      // Written at once: nobody can ask for it again.
      if (one.password !== undefined) await appendFile(passwords, csvRow([one.username, one.password]), { mode: 0o600 });
      done += 1;
      if (done % step === 0 || done === people.length) say(`  ${done} of ${people.length} people`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, people.length) }, lane));
  return enrolled;
}

async function enrolOne(api: Api, person: Person): Promise<Enrolled> {
  const { username } = person;
  const known = await create(api, person);
  const path = { guid: known.guid };
  if (!known.isNew) {
    const { activationPasswords } = await answered(username, api.GET('/users/{guid}/activationPasswords', { params: { path } }));
    const { userDevices } = await answered(username, api.GET('/users/{guid}/userDevices', { params: { path } }));
    if (activationPasswords.length > 0 || userDevices.length > 0) return { guid: known.guid, username, password: undefined };
  }
  const issued = await whenNotBusy(() =>
    answered(username, api.POST('/users/{guid}/activationPasswords', { params: { path }, body: { activationPasswords: [{ expireAfterUse: true }] } })),
  );
  const [made] = issued.activationPasswords;
  return { guid: known.guid, username, password: Buffer.from(made?.password ?? '', 'base64').toString() };
}

async function create(api: Api, { username, displayName, emailAddress }: Person): Promise<{ readonly guid: string; readonly isNew: boolean }> {
  try {
    const { guid } = await whenNotBusy(() => answered(username, api.POST('/users', { body: { username, displayName, emailAddress } })));
    return { guid, isNew: true };
  } catch (error) {
    if (!(error instanceof Refused && error.id === 'USER_EXISTS')) throw error;
    const { users } = await answered(username, api.GET('/users', { params: { query: { query: `username=${username}` } } }));
    const [user] = users;
    if (user === undefined) throw error;
    return { guid: user.guid, isNew: false };
  }
}

/** Asks again as long as the server has too much to do (503 `BUSY`). */
async function whenNotBusy<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refused && error.id === 'BUSY' && tries < TRIES)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250 * tries));
    }
  }
}

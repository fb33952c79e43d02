import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SignedIn, signIn } from './api.ts';
import { type CommandLine, type Lab, labOf, noAnswer, readCommandLine } from './command-line.ts';
import { csvRow, readRecords } from './csv.ts';
import { type Owner, startDevices } from './devices.ts';
import { enrol } from './enrol.ts';
import { exportInventory } from './inventory.ts';
import { groupOf, lockGroup } from './lock-group.ts';
import { startOwnLab } from './own-lab.ts';
import { makePeople, readPeople } from './people.ts';

const say = (line: string): void => console.log(line);
const plan = readCommandLine();
await mkdir(plan.out, { recursive: true, mode: 0o700 });
const ownLab = plan.target === undefined ? await startOwnLab(plan.out) : undefined;
try {
  const target = ownLab?.target ?? (plan.target as string);
  if (ownLab !== undefined) say(`A lab of this script's own is up; its connection file is ${target}`);
  const lab = await labOf(target);
  const signedIn = await signIn(lab).catch(noAnswer);
  try {
    process.exitCode = (await morning(signedIn, lab, plan)) ? 0 : 1;
  } finally {
    await signedIn.close();
  }
} catch (error) {
  console.error(`It did not work: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await ownLab?.stop();
}

/** True when everything was done. */
async function morning({ api }: SignedIn, lab: Lab, { users, count, devices: wanted, out }: CommandLine): Promise<boolean> {
  const list = users ?? join(out, 'people.csv');
  if (users === undefined) await makePeople(list, count);
  const people = await readPeople(list);

  say(`1. Enrol ${people.length} people of ${list}: each gets an activation password`);
  const passwords = join(out, 'passwords.csv');
  if (!existsSync(passwords)) await writeFile(passwords, csvRow(['username', 'password']), { mode: 0o600 });
  const enrolled = await enrol(api, people, { passwords, say });
  const fresh = enrolled.filter(({ password }) => password !== undefined).length;
  say(`  ${fresh} enrolled now, ${enrolled.length - fresh} were enrolled already; passwords are in ${passwords}`);

  say('2. Put them into the group "Field service"');
  const guids = enrolled.map(({ guid }) => guid);
  const group = await groupOf(api, 'Field service', guids);

  const owners = (await ownersOf(passwords)).slice(0, wanted);
  say(`3. ${owners.length} of them activate a device (emulated here)`);
  const devices = await startDevices(lab, owners, join(out, 'devices'));
  try {
    say('4. Lock every device of the group by one call, and follow the events until all are done');
    const { completed, others } = await lockGroup(api, group, say);
    for (const { type, device, reason } of others) say(`  ${device?.guid}: ${type} ${reason ?? ''}`);

    const inventory = join(out, 'inventory.csv');
    const listed = await exportInventory(api, inventory);
    say(`5. Inventory of ${listed} devices is in ${inventory}`);
    const isDone = completed >= devices.guids.length && others.length === 0;
    say(isDone ? `Done: ${completed} devices are locked.` : `Not done: ${completed} of ${devices.guids.length} devices are locked.`);
    return isDone;
  } finally {
    await devices.close();
  }
}

/** Everybody whose password was told, in this run or one before. */
async function ownersOf(passwords: string): Promise<readonly Owner[]> {
  return readRecords(await readFile(passwords, 'utf8'), ['username', 'password']) as unknown as readonly Owner[];
}

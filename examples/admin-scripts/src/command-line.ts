import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** What this example needs of a connection file. */
export interface Lab {
  readonly admin: string;
  readonly infrastructure: string;
  readonly tenantId: string;
  /** PEM. */
  readonly ca: string;
  readonly administrator: { readonly username: string; readonly password: string };
}

export interface CommandLine {
  /** Connection file of a lab that runs; absent: the script starts one. */
  readonly target: string | undefined;
  /** CSV of people; absent: some are made up. */
  readonly users: string | undefined;
  /** How many are made up. */
  readonly count: number;
  /** How many devices are activated. */
  readonly devices: number;
  /** Folder for what the script writes. */
  readonly out: string;
}

const USAGE = `example:admin-scripts [options]   an administrator's morning: 500 people, a group, a lock for all of it, an inventory

  --target FILE   connection file of a lab that runs; unless set, a lab is started for the time of the script, with its data in the folder of --out
  --users FILE    CSV of people with the columns username,displayName,emailAddress; unless set, people are made up
  --count N       how many people are made up, 1 to 5000; 500 unless set
  --devices N     how many devices are activated, 1 to 50; 5 unless set
  --out DIR       where people.csv, passwords.csv, inventory.csv and the state of the devices go; a folder beside the connection file, or .lab/own, unless set
  --help

Exit code: 0 everything was done, 1 something was not, 2 wrong options or no lab.
It may be run again: who is enrolled already is left alone.`;
const START = 'Start a lab first: npx -y pnpm@10.34.9 lab-server start --data .lab';

/** Where the lab of the script itself and all that it writes are. */
const OWN_FOLDER = '.lab/own';

const OPTIONS = {
  target: { type: 'string' },
  users: { type: 'string' },
  count: { type: 'string', default: '500' },
  devices: { type: 'string', default: '5' },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the command line; ends the program when it is wrong or asks for help. */
export function readCommandLine(): CommandLine {
  const { target, users, count, devices, out, help } = flags();
  if (help) {
    console.log(USAGE);
    process.exit(0);
  }
  const folder = target === undefined ? OWN_FOLDER : join(dirname(target), 'admin-scripts');
  return { target, users, count: whole('count', count, 5_000), devices: whole('devices', devices, 50), out: out ?? folder };
}

/** What a connection file says; ends the program when it cannot be read. */
export async function labOf(target: string): Promise<Lab> {
  return JSON.parse(await readFile(target, 'utf8').catch(() => end(`${target} cannot be read. ${START}`)));
}

/** Ends the program when nobody listens at the addresses of the file, or does not let us in. */
export function noAnswer(error: Error): never {
  return end(`The lab cannot be used (${error.message}). ${START}`);
}

function flags(): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return end(`${(error as Error).message}\n${USAGE}`);
  }
}

function whole(name: string, text: string, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : end(`--${name} is not a whole number from 1 to ${most}\n${USAGE}`);
}

function end(words: string): never {
  console.error(words);
  process.exit(2);
}

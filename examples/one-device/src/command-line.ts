import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { User } from './story.ts';

/** What this example needs of a connection file. */
export interface Lab {
  readonly admin: string;
  readonly infrastructure: string;
  readonly tenantId: string;
  /** PEM. */
  readonly ca: string;
  readonly administrator: { readonly username: string; readonly password: string };
}

const USAGE = `example:one-device [--target FILE] [--user NAME --password PASSWORD]   against a running lab

  --target FILE   connection file of the lab; .lab/connection.json unless set
  --user NAME, --password PASSWORD   a user that the administrator has added, and the activation password; unless set, a user is added`;
const START = 'Start a lab first: npx -y pnpm@10.34.9 lab-server start --data .lab';
const OPTIONS = {
  target: { type: 'string', default: '.lab/connection.json' },
  user: { type: 'string' },
  password: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The lab as `lab-server start` wrote it down (addresses, root, the administrator's password), and whose device it is to be. */
export async function commandLine(): Promise<{ readonly lab: Lab; readonly user: User | undefined }> {
  const { target, help, user: userId, password } = flags();
  if (help) {
    console.log(USAGE);
    process.exit(0);
  }
  if ((userId === undefined) !== (password === undefined)) end(`--user and --password go together\n${USAGE}`);
  const lab = JSON.parse(await readFile(target, 'utf8').catch(() => end(`${target} cannot be read. ${START}`)));
  return { lab, user: userId === undefined || password === undefined ? undefined : { userId, password } };
}

/** Ends the program when nobody listens at the addresses of the file, or does not let us in. */
export function noAnswer(error: Error): never {
  return end(`The lab cannot be used (${error.message}). ${START}`);
}

function flags(): { readonly target: string; readonly user?: string; readonly password?: string; readonly help: boolean } {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return end(`${(error as Error).message}\n${USAGE}`);
  }
}

function end(words: string): never {
  console.error(words);
  process.exit(2);
}

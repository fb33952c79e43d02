import { readFile } from 'node:fs/promises';
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

const USAGE = 'example:one-device [--target FILE]   against a running lab; FILE is .lab/connection.json unless set';
const START = 'Start a lab first: npx -y pnpm@10.34.9 lab-server start --data .lab';
const OPTIONS = { target: { type: 'string', default: '.lab/connection.json' }, help: { type: 'boolean', short: 'h', default: false } } as const;

/** What `lab-server start` wrote for us: the addresses, the root and the administrator's password. */
export async function labOfCommandLine(): Promise<Lab> {
  const { target, help } = flags();
  if (help) {
    console.log(USAGE);
    process.exit(0);
  }
  return JSON.parse(await readFile(target, 'utf8').catch(() => end(`${target} cannot be read. ${START}`)));
}

/** Ends the program when nobody listens at the addresses of the file, or does not let us in. */
export function noAnswer(error: Error): never {
  return end(`The lab cannot be used (${error.message}). ${START}`);
}

function flags(): { readonly target: string; readonly help: boolean } {
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

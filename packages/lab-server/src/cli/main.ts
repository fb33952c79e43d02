import { isProtocolError } from '@uemkit/protocol';
import { addNodeCommand } from './add-node-command.ts';
import { asTyped, type Environment } from './as-typed.ts';
import { initCommand } from './init-command.ts';
import type { CliOutput } from './output.ts';
import { startCommand } from './start-command.ts';

/** What the program ends with. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const EXAMPLES = `
EXAMPLES
  lab-server start
      a lab in .lab, all roles in one process
  lab-server start --data /tmp/lab --json
      for scripts: one line of JSON when ready
  lab-server start --journal requests.ndjson
      and what happened to each request
  lab-server start --smtp mail.example.com:587 --smtp-user uem --smtp-password-file password.txt --mail-from "UEM <uem@example.com>"
      mails to users leave over an SMTP host, and not to the lab's own inbox
  lab-server init && lab-server start --role notification
      one role alone; the others join in the same way
  lab-server add-node --name second
      a second Connectivity Node, for clusters of Proxies

  curl --cacert ca.pem -u admin:PASSWORD https://127.0.0.1:PORT/TENANT/api/v1/devices
      addresses, authority (field ca) and password are in .lab/connection.json; README.md has a script to copy

EXIT CODES
  0  ended as asked
  1  could not start
  2  wrong usage
`;

/** Runs the program and returns its exit code. `stopped` resolves when a running lab is to end. */
export async function main(argv: readonly string[], output: CliOutput, stopped: () => Promise<string>, env: Environment = {}): Promise<number> {
  const commands = [initCommand(output), addNodeCommand(output), startCommand(output, stopped, env)];
  const [name = '', ...rest] = argv;
  const command = commands.find((one) => one.name === name);

  if (command === undefined) {
    const asked = name === '' || name === '--help' || name === '-h';
    if (!asked) {
      output.error(`There is no command ${name}; there are ${commands.map((one) => one.name).join(', ')}. lab-server --help has the rest.`);
      return EXIT.usage;
    }
    const list = commands.map((one) => `  ${one.name.padEnd(8)} ${one.description}`).join('\n');
    const text = `lab-server: a small but complete UEM server to develop and test devices against. For labs: no real users, no real devices.\n\nUSAGE lab-server COMMAND [OPTIONS]; lab-server COMMAND --help has the options\n\nCOMMANDS\n${list}\n${EXAMPLES}`;
    output.out(asTyped(text, env));
    return EXIT.ok;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    output.out(asTyped(`${await command.usage()}\n${EXAMPLES}`, env));
    return EXIT.ok;
  }
  const unknown = command.unknownOption(rest);
  if (unknown !== undefined) {
    output.error(`There is no option ${unknown}; lab-server ${name} --help has them all.`);
    return EXIT.usage;
  }
  try {
    await command.run(rest);
    return EXIT.ok;
  } catch (error) {
    output.error(messageOf(error));
    return isProtocolError(error) && error.code === 'ERR_USAGE_ARGUMENT' ? EXIT.usage : EXIT.failed;
  }
}

function messageOf(error: unknown): string {
  if (!isProtocolError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `lab-server: ${error.message} (${error.code})`;
}

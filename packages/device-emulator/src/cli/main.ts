import { isProtocolError } from '@uemkit/protocol';
import { AdminError } from '../admin/admin-error.ts';
import { wordHint } from '../scenario/did-you-mean.ts';
import { ScenarioError } from '../scenario/problem.ts';
import { asTyped } from './as-typed.ts';
import type { CliIo } from './cli-io.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { parseFlags } from './flags.ts';
import { commandHelp, programHelp } from './help.ts';

/** Runs one command line and gives the exit code. Never throws for what a user can mend. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const [name = '--help', ...rest] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(asTyped(await programHelp(), io.env));
    return EXIT.ok;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name);
    io.err(`device-emulator: there is no command ${name} (${wordHint(name, names)})\n`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(asTyped(await commandHelp(command), io.env));
    return EXIT.ok;
  }
  try {
    return await command.run(parseFlags(rest, command.args), io);
  } catch (error) {
    const words = wordsFor(error);
    if (words === undefined) throw error;
    io.err(`${words}\n`);
    return EXIT.usage;
  }
}

/** What to tell about an error; undefined for one that is ours to mend. */
function wordsFor(error: unknown): string | undefined {
  if (error instanceof ScenarioError) return error.message;
  if (error instanceof AdminError) return `device-emulator: ${error.message}`;
  if (isProtocolError(error) && error.kind !== 'bug') return `device-emulator: ${error.message} (${error.code})`;
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && typeof message === 'string') return `device-emulator: ${message} (${code})`;
  return undefined;
}

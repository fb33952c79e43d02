import { wordHint } from '../scenario/did-you-mean.ts';
import { asTyped } from './as-typed.ts';
import type { CliIo } from './cli-io.ts';
import { COMMANDS } from './commands.ts';
import { wordsFor } from './error-words.ts';
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

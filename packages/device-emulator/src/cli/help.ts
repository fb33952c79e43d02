import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, defineCommand, renderUsage } from 'citty';
import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './exit-codes.ts';

/** Words of the exit codes, for the help. */
const CODES: readonly (readonly [number, string])[] = [
  [EXIT.ok, 'everything held'],
  [EXIT.assertionFailed, 'an assertion of the scenario, or a conformance case, does not hold'],
  [EXIT.usage, 'the command line, the scenario or the target cannot be used'],
  [EXIT.generatorInvalid, 'the emulator itself was too slow: the run says nothing about the server'],
  [EXIT.auditFailed, 'plan, devices and server do not agree'],
  [EXIT.interrupted, 'ended by Ctrl-C; everything is saved'],
];

const BASE = 'device-emulator';

/** Help of the whole program. */
export async function programHelp(): Promise<string> {
  const subCommands = Object.fromEntries(COMMANDS.map((command) => [command.name, definition(command)]));
  const usage = await renderUsage(
    defineCommand({ meta: { name: BASE, description: 'Fleets of emulated devices over the real client libraries' }, subCommands }),
  );
  return plain([
    usage,
    '',
    'EXAMPLES',
    '',
    ...exampleLines(COMMANDS.map(({ examples }) => examples[0] as readonly [string, string])),
    '',
    'EXIT CODES',
    '',
    ...CODES.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`),
  ]);
}

/** Help of one command. */
export async function commandHelp(command: Command): Promise<string> {
  const usage = await renderUsage(definition(command), defineCommand({ meta: { name: BASE } }));
  return plain([usage, '', 'EXAMPLES', '', ...exampleLines(command.examples)]);
}

function definition({ name, description, args }: Command): ReturnType<typeof defineCommand<ArgsDef>> {
  return defineCommand<ArgsDef>({ meta: { name, description }, args });
}

function exampleLines(examples: readonly (readonly [string, string])[]): readonly string[] {
  return examples.map(([line, purpose]) => `  ${line}\n      ${purpose}`);
}

/** Help is read in pagers and logs: no escape sequences. */
function plain(lines: readonly string[]): string {
  return `${stripVTControlCharacters(lines.join('\n')).replaceAll(/ +$/gm, '')}\n`;
}

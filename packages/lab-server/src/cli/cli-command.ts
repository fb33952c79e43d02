import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from 'citty';

/** One command of the program. */
export interface CliCommand {
  readonly name: string;
  readonly description: string;
  usage(): Promise<string>;
  /** The first argument that it does not know; a typo must not be passed over. */
  unknownOption(rawArgs: readonly string[]): string | undefined;
  run(rawArgs: readonly string[]): Promise<void>;
}

/** A command of `program` with these options. */
export function cliCommand<Options extends ArgsDef>(
  program: string,
  definition: { readonly name: string; readonly description: string; readonly options: Options; run: NonNullable<CommandDef<Options>['run']> },
): CliCommand {
  const { name, description, options, run } = definition;
  const command = defineCommand<Options>({ meta: { name, description }, args: options, run });
  return {
    name,
    description,
    async usage() {
      const text = await renderUsage(command, defineCommand({ meta: { name: program } }) as unknown as CommandDef<Options>);
      // Help is read in files and pagers, too; its escape sequences would stay there.
      return stripVTControlCharacters(text).replaceAll(/ +$/gm, '').trimEnd();
    },
    unknownOption(rawArgs) {
      for (let at = 0; at < rawArgs.length; at++) {
        const argument = rawArgs[at] as string;
        const [option = ''] = argument.split('=');
        const known = option.startsWith('--') && Object.hasOwn(options, option.slice(2)) ? options[option.slice(2)] : undefined;
        if (known === undefined) return option;
        if (known.type === 'string' && !argument.includes('=')) at += 1;
      }
      return undefined;
    },
    async run(rawArgs) {
      await runCommand(command, { rawArgs: [...rawArgs] });
    },
  };
}

import type { ArgsDef } from 'citty';
import type { CliIo } from './cli-io.ts';
import type { ExitCode } from './exit-codes.ts';
import type { ParsedFlags } from './flags.ts';

/** One command of the command line. */
export interface Command {
  readonly name: string;
  readonly description: string;
  readonly args: ArgsDef;
  /** Shown by `--help`: command lines that work, each with what it is for. */
  readonly examples: readonly (readonly [string, string])[];
  run(parsed: ParsedFlags, io: CliIo): Promise<ExitCode>;
}

import { parseArgs } from 'node:util';
import { ProtocolError } from '@uemkit/protocol';
import type { ArgDef, ArgsDef } from 'citty';
import { isServerUrl } from '../scenario/app-readers.ts';
import { wordHint } from '../scenario/did-you-mean.ts';
import { MAX_DEVICES } from '../scenario/scenario.ts';

const JSON_FLAG = { type: 'boolean', description: 'Print the report as one JSON object, the last line of standard output' } as const;
const SEED = { type: 'string', valueHint: 'number', description: 'Another seed: other identities, other choices, the same mix' } as const;
const SIZE = { type: 'string', valueHint: 'devices', description: 'Another number of devices, in the same mix' } as const;
const TARGET = {
  type: 'string',
  valueHint: 'file',
  description: 'Connection file of a lab server (lab-server start writes it); without it the run starts one of its own',
} as const;
const STATE = { type: 'string', valueHint: 'folder', description: 'Where the run keeps its state' } as const;
const OUT = { type: 'string', valueHint: 'file', description: 'Write the report as JSON to this file, too' } as const;
const TRACE = {
  type: 'string',
  valueHint: 'file',
  description: 'Write every message to this file: one JSON object a line, decoded, secrets redacted',
} as const;

const APP_SERVER = {
  type: 'string',
  valueHint: 'url',
  description: 'HTTP server that the Dynamics apps ask, as the Proxy reaches it; without it the scenario names one, or the run starts one of its own',
} as const;

/** Flags of the commands that plan, run or resume a fleet. */
export const FLAGS: Readonly<Record<FlagName, ArgDef>> = {
  json: JSON_FLAG,
  seed: SEED,
  size: SIZE,
  target: TARGET,
  state: STATE,
  out: OUT,
  trace: TRACE,
  'app-server': APP_SERVER,
};

type FlagName = 'json' | 'seed' | 'size' | 'target' | 'state' | 'out' | 'trace' | 'app-server';

/** Values of a command line that has been checked. */
export interface ParsedFlags {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

function usage(message: string): never {
  throw new ProtocolError('ERR_USAGE_ARGUMENT', message);
}

/** Reads a command line strictly: an unknown flag is an error with a hint. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function parseFlags(argv: readonly string[], args: ArgsDef): ParsedFlags {
  const named = Object.entries(args).filter(([, arg]) => arg.type !== 'positional');
  const allowed = Object.keys(args).length - named.length;
  const known = named.map(([name]) => `--${name}`);
  for (const word of argv) {
    const flag = word.split('=')[0] as string;
    if (word.startsWith('-') && word !== '-' && !known.includes(flag)) usage(`unknown flag ${flag} (${wordHint(flag, known)})`);
  }
  try {
    const options = Object.fromEntries(named.map(([name, arg]) => [name, { type: arg.type === 'boolean' ? ('boolean' as const) : ('string' as const) }]));
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    if (positionals.length > allowed) usage(`one argument too many: ${positionals[allowed]}`);
    return { positionals, flags: values as ParsedFlags['flags'] };
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return usage(error instanceof Error ? error.message : 'the command line cannot be read');
  }
}

/** A text flag. */
export function textFlag({ flags }: ParsedFlags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** `--seed` and `--size`. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function planFlags(parsed: ParsedFlags): { readonly seed: number | undefined; readonly size: number | undefined } {
  return { seed: wholeFlag(parsed, 'seed', 0, 0xffff_ffff), size: wholeFlag(parsed, 'size', 1, MAX_DEVICES) };
}

/** A flag that takes a whole number. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function wholeFlag(parsed: ParsedFlags, name: string, min: number, max: number): number | undefined {
  const text = textFlag(parsed, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : usage(`--${name} takes a whole number from ${min} to ${max}`);
}

/** `--app-server`. @throws ProtocolError `ERR_USAGE_ARGUMENT` */
export function appServerFlag(parsed: ParsedFlags): string | undefined {
  const value = textFlag(parsed, 'app-server');
  return value === undefined || isServerUrl(value)
    ? value
    : usage(`--app-server takes the base URL of an HTTP server, for example http://127.0.0.1:8080, not ${value}`);
}

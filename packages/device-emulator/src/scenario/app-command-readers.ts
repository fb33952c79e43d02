import { INVALID, type Read } from './place.ts';
import { name, oneOf, optional, record, required, share, text, withDefault } from './readers.ts';
import { APP_COMMANDS, type AppBlock, type AppCommandEntry, type AppCommandName, type AppSelection } from './scenario.ts';

/** Which apps of which devices something is for. */
export const appSelection: Read<AppSelection> = record<AppSelection>({
  app: optional(name),
  population: optional(name),
  label: optional(name),
  share: withDefault(share, 1),
});

/** Text of one line, as UEM takes it for titles and ids. */
const line: Read<string> = (place) => {
  const value = text(place);
  return value === INVALID || !/\p{Cc}/u.test(value) ? value : place.wrong('expected text of one line');
};

type Properties = { readonly [K in keyof AppBlock]: string | undefined };

const entry = record<{ readonly command: AppCommandName; readonly properties: Properties }>({
  command: required(oneOf(APP_COMMANDS)),
  properties: withDefault(record<Properties>({ title: optional(line), body: optional(text), actionId: optional(line) }), {
    title: undefined,
    body: undefined,
    actionId: undefined,
  }),
});

/** What each command has to say; more is wrong, too. */
const NEEDED: Readonly<Record<AppCommandName, readonly (keyof AppBlock)[]>> = {
  LOCK_APPLICATION: [],
  BLOCK_APPLICATION: ['title', 'body', 'actionId'],
  UNBLOCK_APPLICATION: ['actionId'],
  DELETE_APPLICATION: [],
};

/** One command of a sendToApps step, with exactly the properties that it has (docs/commands.md). */
export const appCommandEntry: Read<AppCommandEntry> = (place) => {
  const read = entry(place);
  if (read === INVALID) return INVALID;
  const { command, properties } = read;
  const given = Object.entries(properties).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  const needed: readonly string[] = NEEDED[command];
  const missing = needed.find((key) => given.every(([known]) => known !== key));
  if (missing !== undefined) return place.wrong(`${command} needs properties.${missing}`, `it has ${needed.join(', ')}`);
  const extra = given.find(([key]) => !needed.includes(key));
  if (extra !== undefined) return place.wrong(`${command} has no property ${extra[0]}`, needed.length === 0 ? 'it has none' : `it has ${needed.join(', ')}`);
  return { command, properties: Object.fromEntries(given) } as unknown as AppCommandEntry;
};

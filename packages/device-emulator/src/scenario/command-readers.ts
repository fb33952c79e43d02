import { COMMANDS, commandDefinition } from '@uemkit/protocol';
import { INVALID, type Read } from './place.ts';
import { oneOf, optional, properties, record, required, text, withDefault } from './readers.ts';
import { type CommandEntry, EXPECTATIONS } from './scenario.ts';

/** Commands that an administrator can give and that a device carries out; updates of the configuration follow from `configure`. */
const GIVEN: readonly string[] = Object.entries(COMMANDS).flatMap(([type, { givenBy, carriedOutBy }]) =>
  givenBy === 'administrator' && carriedOutBy !== 'uem' ? [type] : [],
);

const entry: Read<CommandEntry> = record<CommandEntry>({
  command: required(oneOf(GIVEN)),
  properties: withDefault(properties, {}),
  application: optional(text),
  expect: optional(oneOf(EXPECTATIONS)),
});

/** One command of a send step; a command for an application names it. */
export const commandEntry: Read<CommandEntry> = (place) => {
  const read = entry(place);
  if (read === INVALID) return INVALID;
  const isForApplication = commandDefinition(read.command)?.carriedOutBy === 'application';
  if (isForApplication && read.application === undefined) return place.wrong(`${read.command} is for an application`, 'add application: com.example.mail');
  if (!isForApplication && read.application !== undefined) return place.wrong(`${read.command} is for no application`);
  return read;
};

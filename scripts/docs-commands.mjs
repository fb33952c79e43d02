/**
 * Writes docs/commands.md from the tables: which command does what on which kind of device, and where that is described. `--check` compares instead.
 */
import { join } from 'node:path';
import { COMMANDS } from '@uemkit/protocol';
import { SYSTEM_IDS, SYSTEMS } from '../packages/device-emulator/src/index.ts';
import { generated, ROOT, table } from './lib/generated.mjs';

const ROWS = Object.entries(COMMANDS);
const CLASSES = ['0 administration', '1 configuration', '2 request'];
const MARKS = { described: '', inferred: ' (i)', ours: ' (o)' };
const yes = (holds) => (holds ? 'yes' : '–');

function kinds() {
  return table(
    ['kind', 'name on the wire', 'agent', 'notification service', 'activation types', 'versions', 'identifiers'],
    SYSTEM_IDS.map((id) => {
      const { title, agent, pushService, activationTypes, versions, hardware } = SYSTEMS[id];
      return [title, `\`${id}\``, agent, pushService, activationTypes.map(({ name }) => `\`${name}\``).join(', '), versions.join(', '), hardware.join(', ')];
    }),
  );
}

function activationTypes() {
  const types = SYSTEM_IDS.flatMap((id) => SYSTEMS[id].activationTypes);
  const byName = [...new Map(types.map((type) => [type.name, type])).values()];
  return table(
    [
      'activation type',
      'UEM may touch',
      'work space',
      'encrypts',
      'locks the device',
      'sets its password',
      'deletes work data',
      'deletes all',
      'sees personal apps',
      'sees identifiers',
    ],
    byName.map((type) => [
      `\`${type.name}\``,
      type.touches,
      type.workSpace ? (type.personalSide ? 'beside a personal side' : 'is the device') : '–',
      yes(type.encryptsDevice),
      yes(type.locksDevice),
      yes(type.controlsDevicePassword),
      yes(type.managed),
      yes(type.deletesDevice),
      yes(type.seesPersonalApps),
      yes(type.seesHardware),
    ]),
  );
}

function propertyText([name, { kind, required, choices, maxCharacters, min, secret, filledByUem, reach }]) {
  const form = {
    text: `text, at most ${maxCharacters}`,
    base64: 'base64',
    whole: `whole number from ${min}`,
    choice: choices?.join(', '),
    flag: 'true or false',
    list: 'list',
    document: 'object',
  }[kind];
  const notes = [
    form,
    ...(secret ? ['secret'] : []),
    ...(filledByUem ? ['UEM fills it in'] : []),
    ...(reach === undefined ? [] : [`only ${reachText(reach)}`]),
  ];
  return `\`${name}${required ? '' : '?'}\` (${notes.join('; ')})`;
}

function reachText(reach) {
  return reach.map(({ platform, activationTypes }) => `\`${platform}\`: ${activationTypes.map((name) => `\`${name}\``).join(', ')}`).join('; ');
}

function effects() {
  return table(
    ['command', 'class (F5.4)', 'properties', 'effect', 'described in'],
    ROWS.map(([type, { priority, properties, effect, oddities, supervisedOnly, givenBy, carriedOutBy, source, status }]) => [
      `\`${type}\`${MARKS[status]}`,
      CLASSES[priority],
      Object.entries(properties).map(propertyText).join('<br>') || '–',
      [
        effect,
        ...(supervisedOnly ? ['Supervised devices only.'] : []),
        ...(givenBy === 'uem' ? ['UEM gives it by itself.'] : []),
        ...(carriedOutBy === 'uem' ? ['Carried out by UEM alone.'] : []),
        ...(carriedOutBy === 'application' ? ['As long as no Dynamics app is active on the device, it fails and says so.'] : []),
        ...oddities,
      ].join(' '),
      source,
    ]),
  );
}

/** Where a command has an effect on a kind: all activation types, some by name, or none. */
function cell(reach, id) {
  const entry = reach.find(({ platform }) => platform === id);
  if (entry === undefined) return '–';
  const all = SYSTEMS[id].activationTypes.map(({ name }) => name);
  const names = entry.activationTypes;
  return (names.length === all.length ? 'all' : names.map((name) => `\`${name}\``).join('<br>')) + MARKS[entry.status];
}

function reaches() {
  return table(
    ['command', ...SYSTEM_IDS.map((id) => SYSTEMS[id].title)],
    ROWS.map(([type, { reach, supervisedOnly }]) => [`\`${type}\`${supervisedOnly ? ' (s)' : ''}`, ...SYSTEM_IDS.map((id) => cell(reach, id))]),
  );
}

const text = `# Commands and kinds of device

Generated from the table of commands in \`@uemkit/protocol\` and the kinds of device in \`@uemkit/device-emulator\` by \`pnpm docs:commands\`; do not edit by hand.

Names and effects follow the vendor's public pages as far as they could be read; wire formats are ours ([protocol/06-management.md](protocol/06-management.md)). No mark: described there. **(i)**: our
conclusion, because the page was not to be had. **(o)**: ours alone. **(s)**: on supervised devices only. PS-A and PS-B are two public scripting modules that name commands of the documented REST API.

A command that does not apply to a device is refused by the REST API with 409 \`COMMAND_NOT_APPLICABLE\`, before anything is queued. When it arrives at a device all the same, the device answers *failed* with its reason and
changes nothing: UEM and devices decide apart from each other, and a test compares them with this table for every command, kind and activation type. Of a kind of device that is not in the table UEM knows nothing: it
takes every command and lets the device decide.

## Kinds of device

${kinds()}

macOS devices are activated in Self-Service (F2): its pages are not emulated, and the emulated Mac takes the same credentials to the same exchange as the others. \`mdm-controls\` on Android ends with Android 9: a newer
device refuses its configuration (F1.5) and says so.

## Activation types

${activationTypes()}

Seen in public text: MDM controls (and that they fail on Android 10), both forms of work and personal, work space only, user privacy, *regulated* on BlackBerry 10, the registration for two factors. The tables of iOS types were not to be
had; which kinds have \`user-privacy\` and \`2fa-registration\`, and that BlackBerry 10 has \`work-space-only\`, is our conclusion, and so are the columns.

## What each command does

${effects()}

## Where it has an effect

${reaches()}

## Devices that cannot be reached

A command that waits can be taken back (\`DELETE …/commands/{command}\`), and the device can be removed (\`REMOVE_DEVICE\`, or \`DELETE …/userDevices/{device}\`). Removal is complete at once: certificates are revoked, what was open is
cancelled, the device counts no more. It is woken once, and whenever it makes contact, even after years, UEM answers with the alert *revoked*; the device then destroys its key, its certificates and its work data, and UEM notes
the time (\`lateContactTime\`). A device that UEM has forgotten altogether gets *unknownDevice*, with the same effect. The same hardware can be activated again, with a new key.
`;

generated(join(ROOT, 'docs/commands.md'), text, 'pnpm docs:commands');

import { COMMANDS, type CommandDefinition, commandDefinition, type PropertyDefinition, type PropertyKind, ProtocolError, reaches } from '@uemkit/protocol';
import * as wire from '@uemkit/protocol/wire';
import { AdminProblem } from './problem.ts';

/** Encoded properties of one command: the frame has room for them and for its other fields. */
export const MAX_COMMAND_PROPERTIES_BYTES = 60_000;

/** Properties as an administrator sends them. */
export type GivenProperties = Readonly<Record<string, unknown>>;

/** What decides whether a command applies to a device. */
export interface CommandTarget {
  /** `DeviceInfo.platform` */
  readonly platform: string;
  readonly activationType: string;
}

/**
 * The definition of a command that an administrator may give.
 * @throws AdminProblem `INVALID_PROPERTY`
 */
export function requireCommandType(type: string): CommandDefinition {
  const definition = commandDefinition(type);
  if (definition?.givenBy === 'administrator') return definition;
  const given = Object.entries(COMMANDS).filter(([, { givenBy }]) => givenBy === 'administrator');
  throw new AdminProblem('INVALID_PROPERTY', `type: is not one of ${given.map(([name]) => name).join(', ')}`);
}

/**
 * Checks the properties of a command against its type.
 * @param filled what UEM fills in itself
 * @throws AdminProblem `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`
 */
export function checkCommand(type: string, given: GivenProperties, filled: wire.WireDocument = {}): wire.WireDocument {
  const definition = requireCommandType(type);
  for (const [name, value] of Object.entries(given)) {
    const property = Object.hasOwn(definition.properties, name) ? definition.properties[name] : undefined;
    if (property === undefined || property.filledByUem === true) throw new AdminProblem('UNKNOWN_PROPERTY', `properties.${name}: ${type} has no such property`);
    const is = expectation(property);
    if (!isValid(property, value)) throw new AdminProblem('INVALID_PROPERTY', `properties.${name}: is not ${is}`);
  }
  const document = { ...given, ...filled };
  for (const [name, property] of Object.entries(definition.properties)) {
    if (property.required && document[name] === undefined) throw new AdminProblem('INVALID_PROPERTY', `properties.${name}: is missing`);
  }
  return checkDocument(document);
}

/**
 * Checks that a command may have an effect on the device. Of kinds of device that are not in the table nothing is known: they decide themselves.
 * @throws AdminProblem `COMMAND_NOT_APPLICABLE`
 */
export function checkApplicable(type: string, given: GivenProperties, { platform, activationType }: CommandTarget): void {
  const definition = requireCommandType(type);
  const where = `${wire.platformOf(platform)?.title ?? platform} activated with ${activationType}`;
  if (reaches(definition.reach, platform, activationType) === 'no')
    throw new AdminProblem('COMMAND_NOT_APPLICABLE', `type: ${type} does not apply to ${where}`);
  for (const name of Object.keys(given)) {
    const reach = definition.properties[name]?.reach;
    if (reach !== undefined && reaches(reach, platform, activationType) === 'no')
      throw new AdminProblem('COMMAND_NOT_APPLICABLE', `properties.${name}: ${type} takes it not on ${where}`);
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isValid(property: PropertyKind, value: unknown): boolean {
  switch (property.kind) {
    case 'text':
      return typeof value === 'string' && value.length > 0 && value.length <= property.maxCharacters;
    case 'base64':
      return typeof value === 'string' && value !== '' && value.length <= property.maxCharacters && BASE64.test(value);
    case 'whole':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= property.min;
    case 'choice':
      return typeof value === 'string' && property.choices.includes(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'document':
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  }
}

function expectation(property: PropertyDefinition): string {
  switch (property.kind) {
    case 'text':
      return `text of 1 to ${property.maxCharacters} characters`;
    case 'base64':
      return property.secret === true ? 'base64 of a password' : 'base64';
    case 'whole':
      return `a whole number from ${property.min} on`;
    case 'choice':
      return `one of ${property.choices.join(', ')}`;
    case 'flag':
      return 'true or false';
    case 'list':
      return 'a list';
    case 'document':
      return 'an object';
  }
}

/** Documents travel as CBOR with unsigned integers; what does not fit is refused here and not at the device. */
function checkDocument(properties: GivenProperties): wire.WireDocument {
  const document = properties as wire.WireDocument;
  checkValues(document, 'properties', 0);
  if (isSmall(document)) return document;
  try {
    const sample = wire.command.encode({ commandId: new Uint8Array(16), type: 'LOCK_DEVICE', properties: document, issuedAtEpochS: 0 });
    if (sample.length <= MAX_COMMAND_PROPERTIES_BYTES) return document;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new AdminProblem('INVALID_PROPERTY', `properties: too large or nested too deep`);
}

/** Most commands: a few values of their own in sight, which fit whatever their encoding is. What is not small is encoded to be measured. */
const SMALL_FIELDS = 16;
const SMALL_CHARACTERS = 512;

function isSmall(document: wire.WireDocument): boolean {
  let fields = 0;
  for (const [name, value] of Object.entries(document)) {
    if (++fields > SMALL_FIELDS || !isSmallText(name)) return false;
    if (typeof value === 'string' ? !isSmallText(value) : typeof value === 'object') return false;
  }
  return true;
}

function isSmallText(text: string): boolean {
  return text.length <= SMALL_CHARACTERS && text.isWellFormed();
}

function checkValues(value: unknown, field: string, depth: number): void {
  if (depth > wire.LIMITS.cborDepth) throw new AdminProblem('INVALID_PROPERTY', `${field}: nested too deep`);
  if (typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return;
  if (typeof value !== 'object' || value === null) {
    throw new AdminProblem('INVALID_PROPERTY', `${field}: only text, whole numbers from 0 on, true, false, lists and objects can be sent to a device`);
  }
  for (const [name, part] of Object.entries(value)) checkValues(part, `${field}.${name}`, depth + 1);
}

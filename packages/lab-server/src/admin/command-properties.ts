import { COMMAND_TYPES, ProtocolError, wire } from '@uemkit/protocol';
import { AdminProblem } from './problem.ts';

/** Encoded properties of one command: the frame has room for them and for its other fields. */
export const MAX_COMMAND_PROPERTIES_BYTES = 60_000;

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 1_024;
const base64: Check = (value) =>
  typeof value === 'string' && value.length <= 400 && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value) && value !== '';

interface Property {
  readonly check: Check;
  readonly required?: true;
  readonly is: string;
}

/** Properties of each command type that an administrator may send; updates of the configuration follow from policies, profiles and assignments. */
const PROPERTIES: Readonly<Record<string, Readonly<Record<string, Property>>>> = {
  LOCK_DEVICE: { password: { check: base64, is: 'base64 of the new password' }, message: { check: text, is: 'text' } },
  UNLOCK_DEVICE: {},
  DELETE_WORK_SPACE_DATA: {},
  DELETE_DEVICE_DATA: {},
  REQUEST_DEVICE_INFO: {},
  REQUEST_INSTALLED_APPS: {},
};

/**
 * Checks type and properties of a command.
 * @throws AdminProblem `INVALID_PROPERTY`, `UNKNOWN_PROPERTY`
 */
export function checkCommand(type: string, properties: Readonly<Record<string, unknown>>): wire.WireDocument {
  const known = Object.hasOwn(PROPERTIES, type) && Object.hasOwn(COMMAND_TYPES, type) ? PROPERTIES[type] : undefined;
  if (known === undefined) throw new AdminProblem('INVALID_PROPERTY', `type: is not one of ${Object.keys(PROPERTIES).join(', ')}`);
  for (const [name, value] of Object.entries(properties)) {
    const property = Object.hasOwn(known, name) ? known[name] : undefined;
    if (property === undefined) throw new AdminProblem('UNKNOWN_PROPERTY', `properties.${name}: ${type} has no such property`);
    if (!property.check(value)) throw new AdminProblem('INVALID_PROPERTY', `properties.${name}: is not ${property.is}`);
  }
  for (const [name, property] of Object.entries(known)) {
    if (property.required === true && properties[name] === undefined) throw new AdminProblem('INVALID_PROPERTY', `properties.${name}: is missing`);
  }
  return checkDocument(properties);
}

/** Documents travel as CBOR with unsigned integers; what does not fit is refused here and not at the device. */
function checkDocument(properties: Readonly<Record<string, unknown>>): wire.WireDocument {
  const document = properties as wire.WireDocument;
  checkValues(document, 'properties', 0);
  try {
    const sample = wire.command.encode({ commandId: new Uint8Array(16), type: 'LOCK_DEVICE', properties: document, issuedAtEpochS: 0 });
    if (sample.length <= MAX_COMMAND_PROPERTIES_BYTES) return document;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new AdminProblem('INVALID_PROPERTY', `properties: too large or nested too deep`);
}

function checkValues(value: unknown, field: string, depth: number): void {
  if (depth > wire.LIMITS.cborDepth.value) throw new AdminProblem('INVALID_PROPERTY', `${field}: nested too deep`);
  if (typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return;
  if (typeof value !== 'object' || value === null) {
    throw new AdminProblem('INVALID_PROPERTY', `${field}: only text, whole numbers from 0 on, true, false, lists and objects can be sent to a device`);
  }
  for (const [name, part] of Object.entries(value)) checkValues(part, `${field}.${name}`, depth + 1);
}

import { ProtocolError } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import * as v from 'valibot';
import { MAX_PART_BYTES, MAX_PART_VALUES, sizeOf } from '../configuration/plan-update.ts';
import { AdminProblem } from './problem.ts';

/**
 * Checks the content of a policy or profile against the schema of its kind, and that a device can be sent it.
 * @throws AdminProblem `UNKNOWN_PROPERTY`, `INVALID_PROPERTY` with the name of the field
 */
export function checkContent<T>(schema: v.GenericSchema<unknown, T>, content: unknown, field: string): wire.WireDocument & T {
  const result = v.safeParse(schema, content, { abortEarly: true });
  if (!result.success) throw problemOf(result.issues[0], field);
  const document = result.output as wire.WireDocument & T;
  try {
    const { bytes, values } = sizeOf({ [field]: document });
    // check: as deep as it lies in the command that brings it; what nobody can decode would stop the device from asking for anything
    sizeOf({ properties: { set: { part: { content: document } } } });
    if (bytes <= MAX_PART_BYTES && values <= MAX_PART_VALUES) return document;
  } catch (error) {
    // Half of a surrogate pair, for example.
    if (!(error instanceof ProtocolError)) throw error;
    throw new AdminProblem('INVALID_PROPERTY', `${field}: cannot be sent to a device`);
  }
  throw new AdminProblem('INVALID_PROPERTY', `${field}: is too large`);
}

/** The checker quotes what it got; that may be a secret in the wrong place. */
function problemOf(issue: v.BaseIssue<unknown>, at: string): AdminProblem {
  const path = v.getDotPath(issue);
  const field = path === null ? at : `${at}.${path}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') return new AdminProblem('UNKNOWN_PROPERTY', `${field}: there is no such property`);
  const problem = issue.received === 'undefined' ? 'is missing' : issue.message.replace(/ but received [\s\S]*$/, '');
  return new AdminProblem('INVALID_PROPERTY', `${field}: ${problem}`);
}

import { expect } from 'vitest';
import { ProtocolError } from '../../src/errors/protocol-error.ts';
import { thrown } from '../vectors/vectors.ts';

/** Expects the one error of a record that cannot be opened: the same class, code and text each time, and nothing that tells why. */
export function expectRefused(work: () => unknown): void {
  const error = thrown(work) as ProtocolError;
  const { name, code, kind, retry, message, cause, details, step } = error;
  expect({ type: error.constructor, name, code, kind, retry, message, cause, details, step }).toEqual({
    type: ProtocolError,
    name: 'ProtocolError',
    code: 'ERR_CRYPTO_OPEN',
    kind: 'crypto',
    retry: 'reconnect',
    message: 'record could not be opened',
    cause: undefined,
    details: {},
    step: undefined,
  });
}

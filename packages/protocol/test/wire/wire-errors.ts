import { expect } from 'vitest';
import { isProtocolError, type ProtocolError } from '../../src/errors/protocol-error.ts';

/** The wire error that `work` throws; undefined when it throws nothing. Anything else that it throws fails the test. */
export function wireError(work: () => unknown): ProtocolError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    expect(error.kind).toBe('wire');
    return error;
  }
}

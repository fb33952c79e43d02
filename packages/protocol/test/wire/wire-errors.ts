import { isProtocolError, type ProtocolError } from '../../src/errors/protocol-error.ts';

/** The wire error that `work` throws; undefined when it throws nothing. Anything else that it throws fails the test. Without `expect`, which costs more than what is tested here thousands of times. */
export function wireError(work: () => unknown): ProtocolError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isProtocolError(error) || error.kind !== 'wire') throw error;
    return error;
  }
}

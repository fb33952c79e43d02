import { isProtocolError } from '@uemkit/protocol';
import { AdminError, hadNoEffect } from '../admin/admin-error.ts';
import { ScenarioError } from '../scenario/problem.ts';

/** What to tell about an error; undefined for one that is ours to mend. */
export function wordsFor(error: unknown): string | undefined {
  if (error instanceof ScenarioError) return error.message;
  if (error instanceof AdminError) return `device-emulator: ${error.message}`;
  if (isProtocolError(error) && error.kind !== 'bug') return `device-emulator: ${error.message} (${error.code})`;
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (hadNoEffect(error))
    return `device-emulator: the server does not answer (${String(message)}). Is it running, and is the connection file (--target) the one that it wrote?`;
  if (typeof code === 'string' && typeof message === 'string') return `device-emulator: ${message} (${code})`;
  return undefined;
}

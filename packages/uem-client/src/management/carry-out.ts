import { isProtocolError, type CommandOutcome as ManagementOutcome, type ManagementRequestResult } from '@uemkit/protocol';
import type * as wire from '@uemkit/protocol/wire';
import type { CommandOutcome, OperatingSystem } from '../operating-system.ts';

/** A deferred command whose handler named no time comes back after this. */
const DEFAULT_RETRY_AFTER_S = 60;

/** What became of one command on this device. */
export interface CarriedOut {
  readonly result: Extract<ManagementRequestResult, { readonly type: 'executed' }>;
  /** Makes the committed writes visible. */
  applied(): void;
}

/** Has the operating system carry out a command (F5.5b). An exception becomes a failed result, never a dead loop. */
export async function carryOut(os: OperatingSystem, command: wire.Command, signal: AbortSignal, failed: (error: unknown) => void): Promise<CarriedOut> {
  try {
    const outcome = await os.execute(command, signal);
    return {
      result: { type: 'executed', outcome: answerOf(outcome), writes: outcome.writes ?? [], leave: outcome.leave === true },
      applied: () => outcome.applied?.(),
    };
  } catch (error) {
    failed(error);
    // The message of another error than ours may hold anything, so it stays on the device.
    const message = isProtocolError(error) ? `${error.code}: ${error.message}` : 'the command failed';
    return { result: { type: 'executed', outcome: { status: 'failed', message }, writes: [] }, applied: () => undefined };
  }
}

function answerOf(outcome: CommandOutcome): ManagementOutcome {
  switch (outcome.status) {
    case 'done':
      return { status: 'done', data: outcome.data };
    case 'failed':
      return { status: 'failed', message: outcome.message ?? 'the command failed', data: outcome.data };
    case 'deferred':
      return { status: 'deferred', retryAfterS: outcome.retryAfterS ?? DEFAULT_RETRY_AFTER_S };
  }
}

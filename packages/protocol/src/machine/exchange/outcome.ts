import type { ProtocolError } from '../../errors/protocol-error.ts';
import { LIMITS } from '../../wire/limits.ts';
import { type Command, type CommandResult, commandResult } from '../../wire/management.ts';
import { fittingMessage } from '../message-text.ts';
import type { CommandOutcome } from './device-types.ts';

/** Result of a command that the device refuses because its time is over (F5.5a). */
export function expiredResult(command: Command): CommandResult {
  return { commandId: command.commandId, status: 'failed', message: 'the command expired before it was carried out' };
}

/** True from the second on in which the command must not be begun any more. */
export function isExpired(command: Command, nowMs: number): boolean {
  return command.expiresAtEpochS !== undefined && Math.floor(nowMs / 1000) >= command.expiresAtEpochS;
}

/**
 * The result message for an outcome. One that cannot be sent (a document over the limits, an empty message) becomes a failed result: a command is
 * always answered.
 */
export function resultOf(command: Command, outcome: CommandOutcome): CommandResult {
  const result: CommandResult = {
    commandId: command.commandId,
    status: outcome.status,
    message: outcome.status === 'failed' ? fittingMessage(outcome.message, 'the command failed') : undefined,
    data: outcome.status === 'deferred' ? undefined : outcome.data,
    retryAfterS: outcome.status === 'deferred' ? outcome.retryAfterS : undefined,
  };
  return isSendable(result) ? result : { commandId: command.commandId, status: 'failed', message: 'the result of the command is too large or not valid' };
}

/** Outcome of a command whose handler failed (F5.5c). Messages of our errors hold no secrets. */
export function failedOutcome(error: ProtocolError): CommandOutcome {
  return { status: 'failed', message: `${error.code}: ${error.message}` };
}

/** Read back, because the decoder knows limits of depth and count that the encoder does not. */
function isSendable(result: CommandResult): boolean {
  try {
    const body = commandResult.encodeBody(result);
    commandResult.decodeBody(body);
    return body.length <= LIMITS.bodyBytes;
  } catch {
    return false;
  }
}

import { utf8Length } from '../bytes/bytes.ts';
import { LIMITS } from '../wire/limits.ts';

/** An error message as it fits its field: Unicode text, not empty, at most `resultMessageBytes` in UTF-8 (no character has more than four bytes). */
export function fittingMessage(message: string, whenEmpty: string): string {
  if (message === '') return whenEmpty;
  const text = message.toWellFormed();
  return utf8Length(text) <= LIMITS.resultMessageBytes ? text : [...text].slice(0, LIMITS.resultMessageBytes / 4).join('');
}

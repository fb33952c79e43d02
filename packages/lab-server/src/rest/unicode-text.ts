/** How JSON escapes half of a surrogate pair; most bodies have none. */
const ESCAPED_SURROGATE = /\\u[dD][89a-fA-F]/;
const MAX_PLACE_CHARACTERS = 200;

/**
 * Place of a text in a JSON body that is no Unicode text, as `models.0`: JSON can escape half of a surrogate pair, which no UTF-8 and no store can hold. Undefined when
 * there is none. Throws RangeError for a body that is nested too deep to look through.
 * @param text what `value` was parsed from
 */
export function placeOfNoUnicode(text: string, value: unknown): string | undefined {
  return ESCAPED_SURROGATE.test(text) ? placeIn(value, []) : undefined;
}

/** The way to `value` is on `path` while it is looked at: one list for all depths. */
function placeIn(value: unknown, path: string[]): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : nameOf(path);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, part] of Object.entries(value)) {
    path.push(key);
    const found = key.isWellFormed() ? placeIn(part, path) : nameOf(path);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

function nameOf(path: readonly string[]): string {
  return path.join('.').slice(0, MAX_PLACE_CHARACTERS).toWellFormed() || 'body';
}

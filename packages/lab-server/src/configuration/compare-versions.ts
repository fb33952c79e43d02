/** What an administrator may name as a version: numbers between full stops, the first one first. */
export const VERSION: RegExp = /^\d{1,9}(?:\.\d{1,9}){0,7}$/;
export const NO_VERSION = 'is not numbers between full stops';

/**
 * Compares versions part by part: `9` < `10`, `18.1` < `18.1.1`. Parts that are no numbers compare as text, after every number. Below 0: `a` is the older one.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split(/[.\-+ ]/);
  const right = b.split(/[.\-+ ]/);
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = compareParts(left[at] ?? '', right[at] ?? '');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A missing part counts as 0: 18 is the same as 18.0. */
function compareParts(a: string, b: string): number {
  const isNumber = (part: string): boolean => /^\d{1,15}$/.test(part);
  const [x, y] = [a === '' ? '0' : a, b === '' ? '0' : b];
  if (isNumber(x) && isNumber(y)) return Number(x) - Number(y);
  if (isNumber(x) !== isNumber(y)) return isNumber(x) ? -1 : 1;
  return x < y ? -1 : x > y ? 1 : 0;
}

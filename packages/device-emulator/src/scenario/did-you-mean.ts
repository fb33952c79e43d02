/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min((previous[j] as number) + 1, (current[j - 1] as number) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforePrevious[j - 2] as number) + 1);
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] as number;
}

/** Longest word that suggestions are sought for; longer ones are no slip of the finger. */
const MAX_WORD_CHARACTERS = 64;

/** The known word that is nearest to `word`, when it is near enough to be meant. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_WORD_CHARACTERS) return undefined;
  const wanted = word.toLowerCase();
  const allowed = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  let nearest: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= allowed && (nearest === undefined || distance < nearest.distance)) nearest = { word: candidate, distance };
  }
  return nearest?.word;
}

/** Hint for an unknown word: what was meant, or what there is. */
export function wordHint(word: string, known: readonly string[]): string {
  const meant = didYouMean(word, known);
  return meant === undefined ? `known: ${known.join(', ')}` : `did you mean ${meant}?`;
}

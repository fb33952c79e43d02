/** Splits `total` by `weights` so that the parts are whole and add up exactly (largest remainder; at a tie the earlier part gets more). */
export function apportion(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (!(sum > 0)) throw new RangeError('no weight is above 0');
  const exact = weights.map((weight) => (total * weight) / sum);
  const parts = exact.map(Math.floor);
  const left = total - parts.reduce((all, part) => all + part, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) parts[index] = (parts[index] as number) + 1;
  return parts;
}

/** Order in which parts of the given sizes are mixed evenly: the place of a part in each entry. */
export function interleave(sizes: readonly number[]): readonly number[] {
  const total = sizes.reduce((all, size) => all + size, 0);
  const credit = sizes.map(() => 0);
  return Array.from({ length: total }, () => {
    sizes.forEach((size, index) => {
      credit[index] = (credit[index] as number) + size;
    });
    const next = credit.indexOf(Math.max(...credit));
    credit[next] = (credit[next] as number) - total;
    return next;
  });
}

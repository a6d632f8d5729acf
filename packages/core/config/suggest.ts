/** Number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
      current.push(best);
    }
    older = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The known word that was probably meant, if one is near enough: at most a third of the letters and `most` differ. */
export function nearest(word: string, known: Iterable<string>, most = 4): string | undefined {
  const plain = word.toLowerCase().replaceAll("-", "_").slice(0, 128);
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(plain, candidate.toLowerCase().replaceAll("-", "_"));
    if (distance < (best?.distance ?? Math.min(most, Math.ceil(plain.length / 3)) + 1))
      best = { word: candidate, distance };
  }
  return best?.word;
}

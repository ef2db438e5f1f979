import { distance } from "fastest-levenshtein";

/**
 * The candidate that `text` was probably meant to be, or `undefined` when none is near.
 *
 * The same letters in another case or with other separators win (`home-page`, `HOME_PAGE`), then the smallest number of
 * typing errors, at most a third of the letters, then a candidate that begins or ends with the text (`page` for `homePage`).
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  // A name this long is no typing error, and the distance takes quadratic time.
  if (text === "" || text.length > 200) return undefined;
  const wanted = letters(text);
  const same = candidates.find((candidate) => letters(candidate) === wanted);
  return same ?? fewestErrors(wanted, candidates) ?? withAffix(wanted, candidates);
}

function fewestErrors(wanted: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestErrors = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const errors = typingErrors(wanted, letters(candidate));
    if (errors < bestErrors && errors * 3 <= Math.min(wanted.length, candidate.length)) {
      best = candidate;
      bestErrors = errors;
    }
  }
  return best;
}

/** Two letters that changed places are one error, not two. */
function typingErrors(typed: string, name: string): number {
  const edits = distance(typed, name);
  return edits === 2 && sorted(typed) === sorted(name) ? 1 : edits;
}

function sorted(text: string): string {
  return [...text].sort().join("");
}

function withAffix(wanted: string, candidates: readonly string[]): string | undefined {
  if (wanted.length < 4) return undefined;
  return candidates.find((candidate) => {
    const name = letters(candidate);
    return name.startsWith(wanted) || name.endsWith(wanted);
  });
}

function letters(text: string): string {
  return text.toLowerCase().replace(/[\s_.-]/g, "");
}

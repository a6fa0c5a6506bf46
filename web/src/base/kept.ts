/**
 * What this browser keeps of the dashboard between visits. Where cookies are blocked, each use of its storage throws: then nothing is
 * kept, and the page works without.
 */
function tried<Result>(use: () => Result): Result | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

export const recall = (name: string): string | null => tried(() => localStorage.getItem(name)) ?? null;

export const keep = (name: string, value: string): void => void tried(() => localStorage.setItem(name, value));

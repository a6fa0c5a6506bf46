/** How many calls run at the same time. */
const PARALLEL = 6;

type Failure<Subject> = { readonly subject: Subject; readonly error: unknown };
export type BulkResult<Subject> = { readonly doneCount: number; readonly failures: readonly Failure<Subject>[] };

/**
 * Calls `act` for each subject, at most six at a time. A failure does not stop the others.
 * Failures are in the order of the subjects.
 */
export async function inBulk<Subject>(
  subjects: readonly Subject[],
  act: (subject: Subject) => Promise<unknown>,
): Promise<BulkResult<Subject>> {
  const errors = new Map<Subject, unknown>();
  const rest = subjects.values();
  const work = async (): Promise<void> => {
    for (const subject of rest) await act(subject).catch((error: unknown) => errors.set(subject, error));
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const failures = subjects.flatMap((subject) =>
    errors.has(subject) ? [{ subject, error: errors.get(subject) }] : [],
  );
  return { doneCount: subjects.length - failures.length, failures };
}

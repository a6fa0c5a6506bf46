/** Supervisors are promised 5 s from SIGTERM to the end; this leaves some of it for the end itself, in milliseconds. */
const STOP_MS_MAX = 4_500;

/** Stops, and rejects where that fails or takes more than 4.5 s: whatever is stuck then must not hold up the process. */
export async function stopInTime(stop: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Keeps the process alive: it must not end as if it had stopped while something is stuck.
    timer = setTimeout(
      () => reject(new Error(`not stopped after ${STOP_MS_MAX} ms, ended all the same.`)),
      STOP_MS_MAX,
    );
  });
  try {
    await Promise.race([stop(), late]);
  } finally {
    clearTimeout(timer);
  }
}

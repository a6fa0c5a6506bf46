/**
 * The documentation promises 5 s from SIGTERM to the exit. This leaves some of it for the exit itself, in milliseconds.
 */
const STOP_MS_MAX = 4_500;

/** Calls `stop`. Rejects if that fails or takes more than 4.5 s: a stuck part must not keep the process alive. */
export async function stopInTime(stop: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Keeps the process alive: it must not exit with 0 while something is stuck.
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

/** How often is asked, in milliseconds. */
const ASK_INTERVAL_MS = 20;

/** Runs something, and asks meanwhile over and over. Returns the longest time without a good answer, in milliseconds. */
export async function longestGapMs(isAnswered: () => Promise<boolean>, run: () => Promise<void>): Promise<number> {
  let isOver = false;
  let answeredMs = performance.now();
  let gapMs = 0;
  const ask = async () => {
    while (!isOver) {
      const isGood = await isAnswered();
      const nowMs = performance.now();
      if (isGood) {
        gapMs = Math.max(gapMs, nowMs - answeredMs);
        answeredMs = nowMs;
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_INTERVAL_MS));
    }
  };
  const asking = ask();
  try {
    await run();
  } finally {
    isOver = true;
    await asking;
  }
  return Math.max(gapMs, performance.now() - answeredMs - ASK_INTERVAL_MS);
}

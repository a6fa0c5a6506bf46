import type { Log } from "../../base/log.ts";
import type { Rotation } from "../../store/key-rotation.ts";

/** Takes up changed keys every so many milliseconds. Logs each problem once, not at every look. */
export function followKeys(
  rotation: { readonly takeUp: () => Promise<Rotation | undefined> },
  everyMs: number,
  log: Log,
): NodeJS.Timeout {
  let isLooking = false;
  let lastProblem = "";
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const taken = await rotation.takeUp();
      if (taken !== undefined) log.info("encryption key in use", taken);
      lastProblem = "";
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (detail !== lastProblem) log.error("encryption keys not taken up, the known ones stay in use", { detail });
      lastProblem = detail;
    } finally {
      isLooking = false;
    }
  };
  return setInterval(() => void look(), everyMs);
}

/** Milliseconds of processor time that this thread spends on `run`: other load on the machine changes nothing. */
export function threadMs(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

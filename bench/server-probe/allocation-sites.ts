/** A function and the bytes that it allocated itself. */
export type AllocationSite = {
  readonly name: string;
  /** File and line, or empty for V8's own. */
  readonly place: string;
  readonly bytes: number;
};

/** Of `HeapProfiler.stopSampling`: a tree of calls. */
export type ProfileNode = {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
};

/** The profile's functions, each once for all its callers, those with most bytes first. */
export function flattened(head: ProfileNode): AllocationSite[] {
  const sites = new Map<string, AllocationSite>();
  const visit = ({ callFrame, selfSize, children }: ProfileNode) => {
    const place = callFrame.url === "" ? "" : `${callFrame.url}:${callFrame.lineNumber + 1}`;
    const name = callFrame.functionName || "(anonymous)";
    const key = `${name} ${place}`;
    if (selfSize > 0) sites.set(key, { name, place, bytes: (sites.get(key)?.bytes ?? 0) + selfSize });
    for (const child of children) visit(child);
  };
  visit(head);
  return [...sites.values()].sort((left, right) => right.bytes - left.bytes);
}

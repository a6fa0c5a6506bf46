const COUNTED = ["alloc", "allocUnsafe", "allocUnsafeSlow"] as const;

/** Counts the bytes requested of `Buffer` until it is stopped: a heap profile does not see memory outside V8's heap. */
export function countingBuffers(): { stop(): Record<string, number> } {
  const before = COUNTED.map((name) => [name, Buffer[name]] as const);
  const bytes: Record<string, number> = {};
  for (const [name, allocate] of before) {
    bytes[name] = 0;
    Buffer[name] = (size: number, ...rest: unknown[]) => {
      bytes[name] = (bytes[name] ?? 0) + size;
      return Reflect.apply(allocate, Buffer, [size, ...rest]);
    };
  }
  return {
    stop() {
      for (const [name, allocate] of before) Reflect.set(Buffer, name, allocate);
      return bytes;
    },
  };
}

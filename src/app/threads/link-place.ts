import type { LinkPlace } from "../../thread-protocol/admission.ts";

/** Reads `host:port` and `[host]:port`, as nodes register them. */
export function linkPlace(address: string): LinkPlace {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
}

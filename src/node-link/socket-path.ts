import { relative } from "node:path";

/** The kernel's limit for the address of a Unix socket, without the byte that ends it. */
const PATH_BYTES_MAX = 107;

/**
 * The address of a Unix socket at this path: relative to the working folder where that is shorter.
 *
 * @throws Error where both are longer than the kernel allows.
 */
export function socketPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  const address = Buffer.byteLength(fromHere) < Buffer.byteLength(path) ? fromHere : path;
  if (Buffer.byteLength(address) > PATH_BYTES_MAX) {
    throw new Error(`${path} is too long for a Unix socket: ${PATH_BYTES_MAX} bytes at most`);
  }
  return address;
}

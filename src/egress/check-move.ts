import { parseTargetUrl, resolveTargetUrl, type TargetAddress } from "../protocol/rtmp/url.ts";

/**
 * Where a target's ReconnectRequest sends us: its `url`, or none for the same place. Undefined where that leads nowhere, or out of TLS.
 * `check` throws where the address may not be connected to.
 */
export async function checkMove(
  present: string,
  tcUrl: string | undefined,
  check: (address: TargetAddress) => Promise<void>,
): Promise<{ readonly url: string | undefined } | undefined> {
  if (tcUrl === undefined) return { url: undefined };
  const url = resolveTargetUrl(present, tcUrl);
  const address = url === undefined ? undefined : parseTargetUrl(url);
  if (typeof address !== "object") return undefined;
  await check(address);
  return { url };
}

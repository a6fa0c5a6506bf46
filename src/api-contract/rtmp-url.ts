import { isSrtUrl, parseSrtUrl } from "../base/srt-url.ts";
import { addressProblem } from "./input/address-form.ts";

/**
 * Says in a sentence why `url` is not a platform's address; undefined where it is one. Does not use WHATWG `URL`: for
 * `rtmp:` it reads `\` as `/`, accepts a broken host and changes the path. An address without an application is valid:
 * the reference's own example has none.
 */
export function rtmpUrlProblem(url: string): string | undefined {
  if (isSrtUrl(url)) return srtUrlProblem(url);
  return addressProblem(url, ["rtmp", "rtmps"], "; send those as id and password");
}

function srtUrlProblem(url: string): string | undefined {
  const problem = addressProblem(url, ["srt", "srt"], "; send the stream ID as streamKey");
  if (problem !== undefined) return problem;
  const address = parseSrtUrl(url);
  return typeof address === "string" ? address : undefined;
}

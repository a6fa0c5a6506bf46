import { addressProblem } from "./input/address-form.ts";

/**
 * Says in a sentence why `url` is not a platform's address; undefined where it is one. Does not use WHATWG `URL`: for
 * `rtmp:` it reads `\` as `/`, accepts a broken host and changes the path. An address without an application is valid:
 * the reference's own example has none.
 */
export function rtmpUrlProblem(url: string): string | undefined {
  return addressProblem(url, ["rtmp", "rtmps"], "; send those as id and password");
}

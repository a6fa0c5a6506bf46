import { addressProblem } from "./input/address-form.ts";

/**
 * What keeps `url` from being a platform's address, as a sentence; undefined where it is one. No WHATWG `URL` here: for
 * `rtmp:` it takes `\` for `/`, leaves a broken host alone and changes the path. An address without an application is
 * fine: the reference's own example has none.
 */
export function rtmpUrlProblem(url: string): string | undefined {
  return addressProblem(url, ["rtmp", "rtmps"], "; send those as id and password");
}

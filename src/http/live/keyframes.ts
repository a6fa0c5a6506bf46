import type { ServerResponse } from "node:http";
import { gatewayError, serviceError } from "../../api-contract/errors.ts";
import type { Runtime } from "../../control/ports/runtime.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Keyframe } from "../../thread-protocol/keyframe.ts";
import { RequestRefusedError } from "../answers/errors.ts";

/** The most keyframes that are read or sent at a time: each may have 4 MiB. */
const AT_A_TIME_MAX = 16;
/** After how many seconds a client without a place should try again. */
const RETRY_AFTER_SECONDS = 2;

/**
 * The last keyframes of channels. Keeps none: each is read from the media thread, and only a few are in memory at a
 * time.
 */
export class Keyframes {
  readonly #runtime: Pick<Runtime, "keyframe">;
  #openCount = 0;

  constructor(runtime: Pick<Runtime, "keyframe">) {
    this.#runtime = runtime;
  }

  /**
   * Reads a channel's last keyframe for this response; undefined where the client has it already, by `knownTime`, or is gone.
   * Throws RequestRefusedError where there is none, or where too many are under way.
   */
  async read(channelId: ChannelId, knownTime: number | undefined, response: ServerResponse) {
    if (this.#openCount >= AT_A_TIME_MAX) {
      const details = `${AT_A_TIME_MAX} keyframes at a time is the limit.`;
      throw new RequestRefusedError(gatewayError("RATE_LIMITED", details), RETRY_AFTER_SECONDS);
    }
    // The client left while the request was checked: its place would never be freed.
    if (response.closed) return undefined;
    this.#openCount += 1;
    response.once("close", () => {
      this.#openCount -= 1;
    });
    return foundOrRefused(await this.#runtime.keyframe(channelId, knownTime));
  }
}

function foundOrRefused(keyframe: Keyframe) {
  switch (keyframe.found) {
    case "keyframe":
      return { time: keyframe.time, bytes: Buffer.from(keyframe.bytes.buffer) };
    case "unchanged":
      return undefined;
    case "too-large":
      throw new RequestRefusedError(
        serviceError("NOT_AVAILABLE", "Keyframe", "The channel's last keyframe has more than 4 MiB."),
      );
    case "none":
      throw new RequestRefusedError(
        serviceError("NOT_AVAILABLE", "Keyframe", "The channel is not on air, or no keyframe has come yet."),
      );
  }
}

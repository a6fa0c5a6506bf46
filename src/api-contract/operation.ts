import type { z } from "zod";
import type { AnswerName } from "./schemas/answer-schemas.ts";

/** One published call of the API. */
export type Operation = {
  /** Its number in the contract, if it has one. */
  readonly call?: number;
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the prefix, with `{…}` for variable parts. */
  readonly path: string;
  readonly summary: string;
  /** False where the original service has it too. */
  readonly isOurs: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** True where the body is bytes, not JSON. */
  readonly bodyBytes?: boolean;
  /** A body that works as it is. */
  readonly bodyExample?: object;
  /** The object in `content`, or in its list; absent where the answer is bytes. */
  readonly content?: AnswerName;
  /** The content type of an answer that is bytes. */
  readonly bytes?: string;
  /** True where a client may ask for a part of the bytes with `Range`. */
  readonly isRanged?: boolean;
  /** `paged` lists have `total` over all pages, `whole` ones have none. */
  readonly list?: "paged" | "whole";
  /** True where only a manager may call it, even though it is a GET. */
  readonly isManagersOnly?: boolean;
  /** Other formats that a client may ask for, beside JSON. */
  readonly files?: readonly string[];
  /** True where the answer is an event stream. */
  readonly isStream?: boolean;
};

/** Paths that many calls share. */
export const CHANNELS = "/re-stream/channels";
export const CHANNEL = `${CHANNELS}/{channelId}`;
export const PLATFORMS = `${CHANNEL}/platforms`;
export const PLATFORM = `${PLATFORMS}/{platformId}`;
export const RECORDINGS = "/re-stream/recordings";
export const RECORDING = `${RECORDINGS}/{channelId}/{recordingId}`;

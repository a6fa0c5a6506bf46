import type { z } from "zod";
import type { AnswerName } from "./schemas/answer-schemas.ts";

/** One call of the API, as it is published. */
export type Operation = {
  /** Number in the contract, where it has one. */
  readonly call?: number;
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the prefix, with `{…}` for what varies. */
  readonly path: string;
  readonly summary: string;
  /** False where the original service has it too. */
  readonly isOurs: boolean;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** A body that works as it stands. */
  readonly bodyExample?: object;
  /** What `content` is, or is a list of. */
  readonly content: AnswerName;
  /** `paged` lists have `total` over all pages, `whole` ones have none. */
  readonly list?: "paged" | "whole";
  /** True where only a manager may, even though it is a GET. */
  readonly isManagersOnly?: boolean;
  /** Forms beside JSON that may be asked for. */
  readonly files?: readonly string[];
  /** True where the answer is an event stream. */
  readonly isStream?: boolean;
};

/** Paths that many calls share. */
export const CHANNELS = "/re-stream/channels";
export const CHANNEL = `${CHANNELS}/{channelId}`;
export const PLATFORMS = `${CHANNEL}/platforms`;
export const PLATFORM = `${PLATFORMS}/{platformId}`;

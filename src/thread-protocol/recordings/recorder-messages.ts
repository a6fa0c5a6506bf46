import type { ChannelId } from "../channel-spec.ts";
import type { RecordingEnd, RecordingFile, RecordingKey, RecordingProblem, RecordingUpload } from "./recordings.ts";

/** A part of a file, or why there is none. */
export type RecordingBytes =
  | { readonly found: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly found: "none" }
  | { readonly found: "failed"; readonly detail: string };

/**
 * Media thread to recording thread, one link for each media thread. A number identifies a recording on its link: a
 * channel that is recorded from now until it ends.
 */
export type FromRecorded =
  | { readonly kind: "begin"; readonly number: number; readonly channelId: ChannelId; readonly startTime: number }
  /** FLV tags, timed from the recording's start; transferred without a copy. */
  | { readonly kind: "media"; readonly number: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end"; readonly number: number; readonly reason: RecordingEnd };

/** Recording thread to media thread. */
export type ToRecorded =
  /** This many more bytes are on the disk, or were dropped with their recording. */
  | { readonly kind: "taken"; readonly number: number; readonly bytes: number }
  /** The recording ended here. */
  | { readonly kind: "ended"; readonly number: number; readonly problem: RecordingProblem };

/** What the control thread asks of the recording thread. */
export type RecordingRequest =
  | (RecordingKey & { readonly kind: "read"; readonly from: number; readonly length: number })
  | (RecordingKey & { readonly kind: "delete" });
export type RecordingReply =
  | { readonly kind: "read"; readonly part: RecordingBytes }
  | { readonly kind: "delete"; readonly result: "deleted" | "not-found" | "in-use" | "failed" };

/** Control thread to recording thread. */
export type ToRecorder =
  /** With a transport: a media thread's link. */
  | { readonly kind: "link" }
  | { readonly kind: "request"; readonly requestId: number; readonly request: RecordingRequest }
  /** The process stops, or leaves the folder to another one: finish all files. `problem`: why broadcasts that go on are not recorded any more. */
  | { readonly kind: "shutdown"; readonly problem?: RecordingProblem };

/** Recording thread to control thread. */
export type FromRecorder =
  /** Everything that the folder had when the thread began. Unfinished files are finished. */
  | { readonly kind: "files"; readonly files: readonly RecordingFile[] }
  /** A file is new or has changed. */
  | { readonly kind: "file"; readonly file: RecordingFile }
  | { readonly kind: "file-gone"; readonly file: RecordingKey; readonly cause: "deleted" | "too-old" | "too-many" }
  | { readonly kind: "reply"; readonly requestId: number; readonly reply: RecordingReply }
  /** An upload is done, or failed in a way that a person should know. */
  | { readonly kind: "upload"; readonly file: RecordingKey; readonly time: number; readonly upload: RecordingUpload }
  /** For the log: something that an operator should know. */
  | { readonly kind: "warning"; readonly name: string; readonly detail: string }
  | { readonly kind: "stopped" };

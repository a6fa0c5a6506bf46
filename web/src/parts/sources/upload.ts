import { ApiError, api, content } from "../../base/api.ts";
import type { MediaFile } from "../../base/model.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** The server takes bodies of up to 1 MiB. */
const PART_BYTES = 1024 * 1024;
/** Waits between attempts while the server cannot be reached, in milliseconds. */
const RETRY_MS = [1_000, 3_000, 10_000, 30_000] as const;

/**
 * Uploads a file in parts. Goes on where an upload of the same file was cut off. Throws ApiError once the server refuses
 * it, or cannot be reached for a while.
 */
export async function upload(
  file: File,
  known: readonly MediaFile[],
  onProgress: (received: number) => void,
): Promise<void> {
  const fileFingerprint = await fingerprintOf(file);
  const body = { fileName: file.name, bytes: file.size, fileFingerprint };
  const begun = known.find(
    (each) =>
      each.fileState === "uploading" &&
      each.fileName === body.fileName &&
      each.bytes === body.bytes &&
      each.fileFingerprint === fileFingerprint,
  );
  const { fileId, receivedBytes } = begun ?? (await content(api.POST("/media-files", { body })));
  for (let at = receivedBytes; at < file.size; ) {
    const part = file.slice(at, at + PART_BYTES);
    at = await patiently(fileId, () => sendPart(fileId, part, at, file.size));
    onProgress(at);
  }
}

/** Repeats a part that did not arrive. The server says how much it has. */
async function patiently(fileId: string, send: () => Promise<MediaFile>): Promise<number> {
  for (const waitMs of [...RETRY_MS, undefined]) {
    try {
      return (await send()).receivedBytes;
    } catch (error) {
      if (!(error instanceof ApiError) || waitMs === undefined) throw error;
      if (error.code !== "network" && error.code !== "limited" && error.code !== "250005") throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const call = api.GET("/media-files/{fileId}", { params: { path: { fileId } } });
      const present = await content(call).catch(() => undefined);
      // The part arrived, only its answer did not.
      if (error.code === "250005" && present !== undefined) return present.receivedBytes;
    }
  }
  throw new Error("not reached");
}

function sendPart(fileId: string, part: Blob, from: number, length: number): Promise<MediaFile> {
  const headers = {
    // The server takes no body of another type from a page, because a form of a foreign page could send it.
    "Content-Type": "application/octet-stream",
    "Content-Range": `bytes ${from}-${from + part.size - 1}/${length}`,
  };
  const params = { path: { fileId } };
  // The document says `string` for bytes.
  const bytes = { body: "", bodySerializer: () => part };
  return content(api.PUT("/media-files/{fileId}/content", { params, headers, ...bytes }));
}

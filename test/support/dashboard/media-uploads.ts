import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { waitFor } from "../processes/waiting.ts";
import type { ApiClient } from "./api-client.ts";

const CHUNK_BYTES = 1024 * 1024;
const CHECK_DEADLINE_MS = 60_000;

const mediaFile = z.looseObject({
  fileId: z.string(),
  fileState: z.string(),
  receivedBytes: z.number(),
  refusedFor: z.string().optional(),
});
export type UploadedFile = z.infer<typeof mediaFile>;

/** Uploads a file as the dashboard does, and waits until the server has looked at it. */
export async function upload(api: ApiClient, path: string): Promise<UploadedFile> {
  const bytes = await readFile(path);
  const begun = await api.request("POST", "/api/v2/media-files", { fileName: basename(path), bytes: bytes.length });
  const { fileId } = mediaFile.parse(begun);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    const range = `bytes ${at}-${at + chunk.length - 1}/${bytes.length}`;
    await api.sendBytes("PUT", `/api/v2/media-files/${fileId}/content`, chunk, { "Content-Range": range });
  }
  return waitFor("the file to be checked", CHECK_DEADLINE_MS, async () => {
    const file = mediaFile.parse(await api.request("GET", `/api/v2/media-files/${fileId}`));
    return file.fileState === "ready" || file.fileState === "refused" ? file : undefined;
  });
}

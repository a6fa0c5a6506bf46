import type { FastifyInstance, FastifyRequest } from "fastify";
import { gatewayError, serviceError } from "../../api-contract/errors.ts";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import { createMediaFileRequest } from "../../api-contract/schemas/source-schemas.ts";
import { changesBetween, plainSettings } from "../../control/audit/field-changes.ts";
import type { MediaFile, MediaFiles } from "../../control/ports/media-files.ts";
import type { Schedules } from "../../control/schedules/schedules.ts";
import type { SourceUseCases } from "../../control/sources/shared-sources.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { answerHeaders, sendBytes, sendContent } from "../answers/reply.ts";
import { orRefuse, readJson } from "../answers/request.ts";
import { mediaFileAnswer } from "./source-answers.ts";

type FileParams = { readonly Params: { readonly fileId: string } };

export type MediaFileUseCases = {
  readonly files: MediaFiles;
  readonly sources: SourceUseCases;
  readonly schedules: Schedules;
};

/** The calls on the library of media files. */
export function addMediaFileRoutes(
  api: FastifyInstance,
  { files, sources }: Pick<MediaFileUseCases, "files" | "sources">,
): void {
  api.get("/media-files", async (_request, reply) => sendContent(reply, files.list().map(mediaFileAnswer)));

  api.get("/media-space", async (_request, reply) =>
    sendContent(reply, { ffmpegFound: files.isAvailable, ...files.space }),
  );

  api.post("/media-files", async (request, reply) => {
    const { fileName, bytes, fileFingerprint } = orRefuse(parseBody(createMediaFileRequest, readJson(request)));
    const file = await files.create(fileName, bytes, fileFingerprint ?? undefined);
    noteFile(request, undefined, file);
    return sendContent(reply, mediaFileAnswer(file));
  });

  api.get<FileParams>("/media-files/:fileId", async (request, reply) =>
    sendContent(reply, mediaFileAnswer(files.get(request.params.fileId))),
  );

  api.put<FileParams>("/media-files/:fileId/content", async (request, reply) => {
    const { fileId } = request.params;
    const { bytes: length } = files.get(fileId);
    const bytes = request.body;
    const range = contentRange(request.headers["content-range"]);
    if (!Buffer.isBuffer(bytes) || range === undefined || range.to - range.from + 1 !== bytes.length)
      throw badRequest("Expected bytes and a Content-Range: bytes FROM-TO/LENGTH that says which they are.");
    if (range.length !== undefined && range.length !== length)
      throw badRequest(`This is another file: the upload was begun with ${length} bytes.`);
    if (range.to >= length)
      throw badRequest(`These bytes end behind the file: the upload was begun with ${length} bytes.`);
    return sendContent(reply, mediaFileAnswer(await files.append(fileId, range.from, bytes)));
  });

  api.get<FileParams>("/media-files/:fileId/frame", async (request, reply) => {
    const frame = await files.frame(request.params.fileId);
    if (frame === undefined) throw new RequestRefusedError(serviceError("NOT_FOUND", "Frame"));
    // The frame of a file never changes, unless another one takes its place in the watched folder.
    const isFixed = files.get(request.params.fileId).contentKey === undefined;
    const caching = isFixed ? "private, max-age=86400" : "private, no-cache";
    const headers = { ...answerHeaders(request.id), "cache-control": caching };
    return sendBytes(reply.headers(headers).header("content-type", "image/jpeg"), frame);
  });

  api.delete<FileParams>("/media-files/:fileId", async (request, reply) => {
    const file = await sources.removeFile(request.params.fileId);
    noteFile(request, file, undefined);
    return sendContent(reply, mediaFileAnswer(file));
  });
}

/** Its id tells nobody anything once the file is gone. */
function noteFile({ audit }: FastifyRequest, before: MediaFile | undefined, after: MediaFile | undefined): void {
  if (audit === undefined) return;
  const settingsOf = (file: MediaFile | undefined) => plainSettings({ fileName: file?.name, bytes: file?.bytes });
  audit.about = { subject: (before ?? after)?.fileId ?? "" };
  audit.changes = changesBetween(settingsOf(before), settingsOf(after));
}

function badRequest(details: string): RequestRefusedError {
  return new RequestRefusedError(gatewayError("BAD_REQUEST", details));
}

/** Reads `bytes 0-1048575/5000000`; without a length where that is `*`. */
function contentRange(
  header: string | undefined,
): { readonly from: number; readonly to: number; readonly length: number | undefined } | undefined {
  const [, from, to, length] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined) return undefined;
  return { from: Number(from), to: Number(to), length: length === "*" ? undefined : Number(length) };
}

import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { eventsQuery } from "../../api-contract/schemas/event-schemas.ts";
import { parseQuery } from "../../api-contract/schemas/field-errors.ts";
import type { Recordings } from "../../control/recordings/recordings.ts";
import type { RecordingFile, RecordingKey } from "../../thread-protocol/recordings/recordings.ts";
import { readRange } from "../answers/recordings/byte-range.ts";
import { fileNameOf, recordingAnswer } from "../answers/recordings/recording-answer.ts";
import { answerHeaders, sendContent, sendHeaders } from "../answers/reply.ts";
import { lastingOwner, orRefuse, type RouteContext } from "../answers/request.ts";
import type { Downloads } from "../live/downloads.ts";

type RecordingParams = { readonly Params: RecordingKey };

const TYPES = { mp4: "video/mp4", flv: "video/x-flv" } as const;
/** Read at a time, in bytes: what a slow client keeps in memory. */
const READ_BYTES = 512 * 1024;

/** Recordings: the list, one of them, its file, and its deletion. */
export function addRecordingRoutes(
  api: FastifyInstance,
  context: RouteContext,
  recordings: Recordings,
  downloads: Downloads,
): void {
  const one = "/re-stream/recordings/:channelId/:recordingId";

  api.get("/re-stream/recordings", async (request, reply) => {
    const { channelId, pageNo, pageSizeNo } = orRefuse(parseQuery(eventsQuery, request.query));
    const { files, total } = recordings.list(channelId, { number: pageNo, size: pageSizeNo });
    return sendContent(reply, files.map(recordingAnswer), total);
  });

  api.get<RecordingParams>(one, async (request, reply) =>
    sendContent(reply, recordingAnswer(recordings.get(request.params))),
  );

  api.delete<RecordingParams>(one, async (request, reply) =>
    sendContent(reply, recordingAnswer(await recordings.delete(request.params))),
  );

  api.get<RecordingParams>(`${one}/file`, async (request, reply) => {
    const file = recordings.get(request.params);
    const { range, "if-range": ifRange } = request.headers;
    const etag = etagOf(file);
    const wanted = ifRange !== undefined && ifRange !== etag ? "whole" : readRange(range, file.bytes);
    reply.headers({
      ...answerHeaders(request.id),
      "content-type": TYPES[file.container],
      "content-disposition": `attachment; filename="${fileNameOf(file)}"`,
      "accept-ranges": "bytes",
      etag,
    });
    if (wanted === "unsatisfiable") {
      return reply.code(416).header("content-range", `bytes */${file.bytes}`).removeHeader("content-type").send();
    }
    const { from, to } = wanted === "whole" ? { from: 0, to: file.bytes - 1 } : wanted;
    if (wanted !== "whole") reply.code(206).header("content-range", `bytes ${from}-${to}/${file.bytes}`);
    downloads.begin(reply.raw, lastingOwner(context, request));
    return sendFile(reply, recordings, file, { from, to });
  });
}

/** The bytes of a file never change once they are written; its duration is written at the end. */
function etagOf({ recordingId, bytes, end }: RecordingFile): string {
  return `"${recordingId}-${bytes}-${end === undefined ? "growing" : end.time}"`;
}

/** Sends what a client takes, as it takes it. The first read comes before the headers: a disk that fails is an error then. */
async function sendFile(
  reply: FastifyReply,
  recordings: Recordings,
  file: RecordingFile,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<FastifyReply> {
  const length = to - from + 1;
  reply.header("content-length", length);
  if (reply.request.method === "HEAD") return sendHeaders(reply);
  if (length <= 0) return reply.send();
  const read = (at: number) => recordings.read(file, at, Math.min(READ_BYTES, to - at + 1));
  const first = await read(from);
  const parts = async function* () {
    let part = first;
    for (let at = from; part.length > 0; part = await read(at)) {
      yield Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      at += part.length;
      if (at > to) return;
    }
    throw new Error("the recording is shorter than it was");
  };
  return reply.send(Readable.from(parts(), { objectMode: false, highWaterMark: 1 }));
}

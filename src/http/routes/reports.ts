import type { FastifyInstance, FastifyReply } from "fastify";
import { serviceError } from "../../api-contract/errors.ts";
import { channelEventsQuery, reportQuery } from "../../api-contract/schemas/event-schemas.ts";
import { parsePathInteger, parseQuery } from "../../api-contract/schemas/field-errors.ts";
import { datedFileName } from "../../api-contract/words/file-name.ts";
import type { ChannelDetail } from "../../control/use-cases/details.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { eventAnswer } from "../answers/event-answers.ts";
import { answerHeaders, sendContent } from "../answers/reply.ts";
import { historyAnswer, reportAnswer } from "../answers/report-answer.ts";
import { REPORT_POLICY, type Reader, type ReportParts, reportCsv, reportPage } from "../answers/report-files.ts";
import type { RouteContext } from "../answers/request.ts";
import { orRefuse } from "../answers/request.ts";
import type { EventUseCases } from "./events.ts";

/** Events of one report; with more, the newest are left out. */
const EVENTS_MAX = 1_000;

type ChannelParams = { readonly Params: { readonly channelId: string } };
type ReportParams = { readonly Params: { readonly channelId: string; readonly startTime: string } };

/** Reports of finished broadcasts: the list, and each with its events and its history, also as a file. */
export function addReportRoutes(api: FastifyInstance, { service }: RouteContext, parts: EventUseCases): void {
  const { reports, events, history } = parts;

  api.get<ChannelParams>("/re-stream/channels/:channelId/reports", async (request, reply) => {
    const { pageNo, pageSizeNo } = orRefuse(parseQuery(channelEventsQuery, request.query));
    const { channelId } = await service.getChannel(request.params.channelId);
    const found = await reports.listReports(channelId, { number: pageNo, size: pageSizeNo });
    return sendContent(reply, found.reports.map(reportAnswer), found.total);
  });

  const read = async ({ channelId, name }: ChannelDetail, startTime: number): Promise<ReportParts> => {
    const report = await reports.findReport(channelId, startTime);
    if (report === undefined) throw new RequestRefusedError(serviceError("NOT_FOUND", "Report"));
    const time = { from: startTime, to: report.endTime };
    const page = await events.listEvents({ channelId, ...time }, { number: 1, size: EVENTS_MAX });
    return {
      channelName: name,
      report,
      events: page.events.toReversed(),
      history: await history.read(channelId, time),
    };
  };

  api.get<ReportParams>("/re-stream/channels/:channelId/reports/:startTime", async (request, reply) => {
    const startTime = orRefuse(parsePathInteger("startTime", request.params.startTime));
    const { format, lang = "en", timeZone = "UTC" } = orRefuse(parseQuery(reportQuery, request.query));
    const channel = await service.getChannel(request.params.channelId);
    const whole = await read(channel, startTime);
    const reader = { lang, timeZone };
    if (format === "csv") return sendCsv(reply, whole, reader);
    if (format === "html") return sendPage(reply, whole, reader);
    return sendContent(reply, {
      ...reportAnswer(whole.report),
      events: whole.events.map(eventAnswer),
      history: historyAnswer(channel.channelId, whole.history),
    });
  });
}

function sendCsv(reply: FastifyReply, parts: ReportParts, reader: Reader): FastifyReply {
  const { channelName, report } = parts;
  // RFC 6266: programs that know no other than ASCII take the first name.
  const plain = `${report.channelId}-${report.startTime}.csv`;
  const name = encodeURIComponent(`${datedFileName(channelName, report.startTime, reader.timeZone)}.csv`);
  const escaped = name.replace(/['()*!]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return reply
    .headers({ ...answerHeaders(reply.request.id), "content-type": "text/csv;charset=utf-8" })
    .header("content-disposition", `attachment; filename="${plain}"; filename*=UTF-8''${escaped}`)
    .send(reportCsv(parts, reader));
}

function sendPage(reply: FastifyReply, parts: ReportParts, reader: Reader): FastifyReply {
  return reply
    .headers({ ...answerHeaders(reply.request.id), "content-type": "text/html;charset=utf-8" })
    .header("content-security-policy", REPORT_POLICY)
    .send(reportPage(parts, reader));
}

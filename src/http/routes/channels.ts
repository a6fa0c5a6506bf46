import type { FastifyInstance, FastifyRequest } from "fastify";
import { changedPassword } from "../../api-contract/input/masked-values.ts";
import { tidyPlatforms } from "../../api-contract/input/tidy-platform.ts";
import { parseBody, parseQuery } from "../../api-contract/schemas/field-errors.ts";
import type { UpdateChannelRequest } from "../../api-contract/schemas/schemas.ts";
import {
  channelNameQuery,
  createChannelByPerson,
  createChannelRequest,
  listChannelsQuery,
  streamKeyRequest,
  TEST_PATTERN_SECONDS_DEFAULT,
  testPatternRequest,
  updateChannelByPerson,
  updateChannelRequest,
} from "../../api-contract/schemas/schemas.ts";
import {
  type Alerts,
  type Channel,
  HOLD_SECONDS_DEFAULT,
  type IngestLogin,
  NO_ALERTS,
} from "../../control/channels/channel.ts";
import { type ChannelEdit, wholeLogin } from "../../control/use-cases/channel-edits.ts";
import { type ListFilter, targetOf } from "../../control/use-cases/channel-reads.ts";
import { FREEZE_TIMES, type FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { channelAnswer, channelWithPlatformsAnswer } from "../answers/answers.ts";
import { withNotes } from "../answers/platform-notes.ts";
import { sendContent } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";
import { answerContext, isPerson, orRefuse, orRefuseIn, readJson, readOptionalJson } from "../answers/request.ts";
import { targetSettings } from "../answers/target-settings.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };

/** The calls on channels: 1–4, and those that change an existing one. */
export function addChannelRoutes(api: FastifyInstance, context: RouteContext): void {
  addChannelLifeRoutes(api, context);
  addChannelChangeRoutes(api, context);
  addTestPatternRoutes(api, context);
}

/** Calls 1–4: create, list, read and delete. */
function addChannelLifeRoutes(api: FastifyInstance, context: RouteContext): void {
  const { service } = context;

  api.post("/re-stream/channels", async (request, reply) => {
    const { body: tidied, notes } = tidyPlatforms(readJson(request));
    const body = orRefuse(parseBody(takesAnyName(request) ? createChannelByPerson : createChannelRequest, tidied));
    const settings = {
      name: body.channelName,
      planType: body.planType,
      envType: body.envType ?? "REAL",
      ...(body.labels == null ? {} : { labels: body.labels }),
      alerts: { ...NO_ALERTS, ...alertChange(body) },
      holdSeconds: body.hold?.seconds ?? HOLD_SECONDS_DEFAULT,
      latency: body.latency ?? "efficient",
      freeze: freezeTimes(body.freeze, FREEZE_TIMES),
      ...(body.recording?.enabled === true ? { isRecorded: true } : {}),
      ...newLogin(body.ingestAuth),
      ...(body.srtPassphrase == null || body.srtPassphrase === "" ? {} : { srtPassphrase: body.srtPassphrase }),
    } as const;
    const targets = body.restream.map(targetSettings);
    const channel = await service.createChannel(settings, targets, body.backup?.enabled ?? false);
    const answer = channelWithPlatformsAnswer(channel, answerContext(context, request));
    const restream = answer.restream.map((one, index) =>
      withNotes(one, targetOf(channel, one.platId), notes[index] ?? [], channel.targets),
    );
    return sendContent(reply, { ...answer, restream });
  });

  api.get("/re-stream/channels", async (request, reply) => {
    const query = orRefuse(parseQuery(listChannelsQuery, request.query));
    const page = { number: query.pageNo, size: query.pageSizeNo };
    const filter = statusFilter(query.channelStatus);
    if (filter === "never") return sendContent(reply, [], 0);
    const { channels, total } = await service.listChannels(
      {
        ...(query.channelId === undefined ? {} : { channelId: query.channelId }),
        ...(query.channelName === undefined ? {} : { namePart: query.channelName }),
        ...filter,
      },
      page,
    );
    const shown = answerContext(context, request);
    return sendContent(
      reply,
      channels.map((channel) => channelAnswer(channel, shown)),
      total,
    );
  });

  api.get<ChannelParams>("/re-stream/channels/:channelId", async (request, reply) => {
    const channel = await service.getChannel(request.params.channelId);
    return sendContent(reply, channelWithPlatformsAnswer(channel, answerContext(context, request)));
  });

  api.delete<ChannelParams>("/re-stream/channels/:channelId", async (request, reply) => {
    const channel = await service.deleteChannel(request.params.channelId);
    return sendContent(reply, channelAnswer(channel, answerContext(context, request)));
  });
}

/** Calls 13, 14, `end` and 15. */
function addChannelChangeRoutes(api: FastifyInstance, context: RouteContext): void {
  const { service } = context;
  const { channelEdits } = service;

  api.put<ChannelParams>("/re-stream/channels/:channelId", async (request, reply) => {
    const { channelId } = request.params;
    const json = readJson(request);
    const schema = takesAnyName(request) ? updateChannelByPerson : updateChannelRequest;
    const body = await orRefuseIn(service, channelId, parseBody(schema, json));
    const channel = await channelEdits.update(channelId, (present) => channelEdit(body, present));
    return sendContent(reply, channelWithPlatformsAnswer(channel, answerContext(context, request)));
  });

  api.post<ChannelParams>("/re-stream/channels/:channelId/stream-key", async (request, reply) => {
    const { channelId } = request.params;
    const json = readOptionalJson(request);
    const { which } = await orRefuseIn(service, channelId, parseBody(streamKeyRequest, json));
    const channel = await channelEdits.renewStreamKey(channelId, which ?? "main");
    return sendContent(reply, channelAnswer(channel, answerContext(context, request)));
  });

  const actions = [
    { method: "PUT", name: "on", act: (channelId: string) => channelEdits.unblock(channelId) },
    { method: "PUT", name: "off", act: (channelId: string) => channelEdits.block(channelId) },
    { method: "POST", name: "end", act: (channelId: string) => channelEdits.end(channelId) },
    { method: "POST", name: "hold/extend", act: (channelId: string) => channelEdits.extendHold(channelId) },
    { method: "POST", name: "hold/end", act: (channelId: string) => channelEdits.endHold(channelId) },
  ] as const;
  for (const { method, name, act } of actions) {
    api.route<ChannelParams>({
      method,
      url: `/re-stream/channels/:channelId/${name}`,
      handler: async (request, reply) => {
        const channel = await act(request.params.channelId);
        return sendContent(reply, channelAnswer(channel, answerContext(context, request)));
      },
    });
  }
}

/** The test pattern: start and stop. */
function addTestPatternRoutes(api: FastifyInstance, context: RouteContext): void {
  const { service } = context;
  const url = "/re-stream/channels/:channelId/test-pattern";

  api.post<ChannelParams>(url, async (request, reply) => {
    const { channelId } = request.params;
    const json = readOptionalJson(request);
    const { durationSeconds, platIds } = await orRefuseIn(service, channelId, parseBody(testPatternRequest, json));
    const channel = await service.testPatterns.start(
      channelId,
      durationSeconds ?? TEST_PATTERN_SECONDS_DEFAULT,
      platIds ?? undefined,
    );
    return sendContent(reply, channelAnswer(channel, answerContext(context, request)));
  });

  api.delete<ChannelParams>(url, async (request, reply) => {
    const channel = await service.testPatterns.stop(request.params.channelId);
    return sendContent(reply, channelAnswer(channel, answerContext(context, request)));
  });
}

/** Names are for people: in the dashboard, and where a program says that it passes on what people called a channel. */
function takesAnyName(request: FastifyRequest): boolean {
  const { anyName } = orRefuse(parseQuery(channelNameQuery, request.query));
  return isPerson(request) || anyName === "true";
}

/** Which channels a `channelStatus` selects: `never` where no channel of a list can have it. */
function statusFilter(status: string | undefined): Pick<ListFilter, "state" | "isPublishing"> | "never" {
  switch (status) {
    case undefined:
      return {};
    case "READY":
      return { state: "live", isPublishing: false };
    case "PUBLISHING":
    case "PUBLISH":
      return { state: "live", isPublishing: true };
    case "BLOCK":
      return { state: "blocked" };
    default:
      return "never";
  }
}

type AlertRequest = Pick<UpdateChannelRequest, "alertOn" | "alertOptions">;

/** The alerts that a body sets. */
function alertChange({ alertOn, alertOptions }: AlertRequest): Partial<Alerts> {
  const { alertChangeStatus, alertVodUploadFail, alertReStreamFail } = alertOptions ?? {};
  return {
    ...(alertOn == null ? {} : { isOn: alertOn }),
    ...(alertChangeStatus == null ? {} : { ofChannelStatus: alertChangeStatus }),
    ...(alertVodUploadFail == null ? {} : { ofVodUploads: alertVodUploadFail }),
    ...(alertReStreamFail == null ? {} : { ofTargetFailures: alertReStreamFail }),
  };
}

type LoginRequest = UpdateChannelRequest["ingestAuth"];

/** The login of a new channel; an empty id means none. */
function newLogin(login: LoginRequest): { readonly ingestLogin?: IngestLogin } {
  if (login == null || login.id === "") return {};
  return { ingestLogin: wholeLogin({ id: login.id ?? "", password: login.password ?? "" }) };
}

/** The parts of the login that a body sets. Throws RequestRefusedError for the mask of another password. */
function loginChange(login: LoginRequest, { ingestLogin }: Channel): Pick<ChannelEdit, "ingestLogin"> {
  const { id } = login ?? {};
  const password = orRefuse(changedPassword("ingestAuth.password", login?.password, ingestLogin?.password));
  const change = {
    ...(id == null ? {} : { id }),
    ...(password === undefined ? {} : { password }),
  };
  return Object.keys(change).length === 0 ? {} : { ingestLogin: change };
}

/** What a body leaves out stays as it is. */
function freezeTimes(body: UpdateChannelRequest["freeze"], present: FreezeTimes): FreezeTimes {
  return {
    mediaSeconds: body?.mediaSeconds ?? present.mediaSeconds,
    videoSeconds: body?.videoSeconds ?? present.videoSeconds,
  };
}

function channelEdit(body: UpdateChannelRequest, present: Channel): ChannelEdit {
  const alerts = alertChange(body);
  return {
    ...(body.channelName == null ? {} : { name: body.channelName }),
    ...(body.planType == null ? {} : { planType: body.planType }),
    ...(body.envType == null ? {} : { envType: body.envType }),
    ...(body.labels == null ? {} : { labels: body.labels }),
    ...(body.hold?.seconds == null ? {} : { holdSeconds: body.hold.seconds }),
    ...(body.latency == null ? {} : { latency: body.latency }),
    ...(body.freeze == null ? {} : { freeze: freezeTimes(body.freeze, present.freeze) }),
    ...(body.recording?.enabled == null ? {} : { isRecorded: body.recording.enabled }),
    ...(body.backup?.enabled == null ? {} : { hasBackup: body.backup.enabled }),
    ...loginChange(body.ingestAuth, present),
    ...(body.srtPassphrase == null ? {} : { srtPassphrase: body.srtPassphrase }),
    ...(Object.keys(alerts).length === 0 ? {} : { alerts }),
  };
}

import type { z } from "zod";
import type { ANSWER_SCHEMAS, ERROR_SCHEMAS } from "../../../src/api-contract/schemas/answer-schemas.ts";

/** The API's responses, by their names in the published document. */
type Answers = { readonly [Name in keyof typeof ANSWER_SCHEMAS]: z.output<(typeof ANSWER_SCHEMAS)[Name]> };

export type Channel = Answers["LiveSnapshot"]["channels"][number];
export type Platform = Answers["Platform"];
export type PlatformSettings = Answers["PlatformSettings"];
export type Ingest = NonNullable<Channel["ingest"]>;
export type TargetError = NonNullable<Platform["lastError"]>;
export type Preset = Answers["Preset"];
export type PlatformTest = Answers["PlatformTest"];
export type ChannelEvent = Answers["Event"];
export type Report = Answers["Report"];
export type History = Answers["History"];
export type RecommendedSettings = Answers["RecommendedSettings"];
export type AuditRecord = Answers["AuditRecord"];
export type RefusedEncoder = Answers["RefusedEncoder"];
export type Delivery = Answers["Delivery"];
export type Contact = Answers["Contact"];
export type WebhookTest = Answers["WebhookTest"];
export type CallbackEndpoint = Answers["CallbackEndpoint"];
export type MediaFile = Answers["MediaFile"];
export type MediaSpace = Answers["MediaSpace"];
export type Slate = Answers["Slate"];
export type Source = Answers["Source"];
export type PullVariant = NonNullable<NonNullable<Source["pull"]>["variant"]>;
export type Schedule = Answers["Schedule"];
export type AccessKey = Answers["AccessKey"];
export type ServerNode = Answers["Node"];
export type MovedNode = Answers["MovedNode"];
export type NewAccessKey = Answers["NewAccessKey"];
export type Sample = Answers["LiveSample"];
export type ChannelChange = Answers["LiveChannel"];
export type PlatformChange = Answers["LivePlatform"];
export type Server = Answers["LiveServer"];
export type ServerTrouble = Server["troubles"][number];
export type ApiErrorBody = z.output<(typeof ERROR_SCHEMAS)["GatewayError"] | (typeof ERROR_SCHEMAS)["ServiceError"]>;

export type RecordingProblem = NonNullable<Channel["recording"]["reason"]>["code"];
export type Recording = Answers["Recording"];
export type ErrorCode = TargetError["code"];
export type ConnectStatus = Platform["connectStatus"];

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../../src/api-contract/operation.ts";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import type { Answer } from "../api.ts";
import { Api, MANAGER, PLATFORM, VIEWER } from "../api.ts";
import { fieldsOf, withField } from "./body-fields.ts";
import {
  denied,
  type Expected,
  expectAnswer,
  INVALID,
  invalid,
  lastOf,
  MISSING,
  NO_URL,
  NOT_JSON,
  needed,
  notFound,
  notJson,
  ofService,
  said,
  TOO_LARGE,
  unauthenticated,
  wrongRegion,
  wrongType,
} from "./error-answers.ts";
import { MISSING_RULES, REQUIRED, WRONG_BODY_VALUES, WRONG_QUERY_VALUES } from "./wrong-values.ts";

/** The parts of a request, before it is signed and sent. */
type Request = {
  readonly prefix?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly key?: { readonly accessKeyId: string; readonly secretKey: string };
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signed?: { readonly method?: string; readonly url?: string; readonly timestamp?: string };
  readonly suffix?: string;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
};

const NODE = { incarnation: 7, nodeId: "a", version: "1", state: "DRAINING", isSelf: true } as const;

/** One API for all cells: none of them may change anything. */
let api: Api;
let present: Record<string, string>;
let otherPlatform = "";
let before: unknown;

async function everything(): Promise<unknown> {
  const { channels, total } = await api.store.listChannels({}, { number: 1, size: 100 });
  const whole = await Promise.all(channels.map(({ channelId }) => api.store.findChannel(channelId)));
  const keys = (await api.store.listAccessKeys()).map(({ lastUsedTime: _, ...key }) => key);
  return { whole, total, keys };
}

beforeAll(async () => {
  api = await Api.open({
    nodes: {
      list: async () => [NODE],
      drain: async (id) => (id === NODE.incarnation ? NODE : undefined),
      moveChannels: async (id) => (id === NODE.incarnation ? { node: NODE } : undefined),
    },
  });
  const mine = await api.create({ planType: "PROFESSIONAL", restream: [PLATFORM] });
  const other = await api.create();
  otherPlatform = String(other.restream[0].platId);
  api.files.add("mf-0123456789ab");
  const made = async (name: string, url: string) => {
    const { bodyExample } = OPERATIONS.find((each) => each.name === name) ?? {};
    return (await api.post(url, bodyExample)).body.content;
  };
  const { scheduleId } = await made("createSchedule", `/api/v2/re-stream/channels/${mine.channelId}/schedules`);
  const { contactId } = await made("createContact", "/api/v2/events/contacts");
  present = {
    channelId: mine.channelId,
    platformId: String(mine.restream[0].platId),
    deliveryId: "1",
    startTime: "1",
    recordingId: "20260102030405-001",
    accessKey: VIEWER.accessKeyId,
    fileId: "mf-0123456789ab",
    scheduleId,
    incarnation: String(NODE.incarnation),
    contactId,
  };
  before = await everything();
});

afterAll(async () => {
  await api.close();
});

test("every call has a row for each of its fields", () => {
  for (const { name, body, query } of OPERATIONS) {
    if (body !== undefined) expect(REQUIRED, name).toHaveProperty(name);
    for (const path of body === undefined ? [] : fieldsOf(body)) {
      expect(Object.keys(WRONG_BODY_VALUES), `${name} ${path}`).toContain(lastOf(path));
    }
    for (const parameter of Object.keys(query?.shape ?? {})) {
      expect(Object.keys(WRONG_QUERY_VALUES), name).toContain(parameter);
    }
  }
});

function urlOf({ path }: Operation, { prefix = "/api/v2", params = {}, query, suffix = "" }: Request): string {
  const filled = path.replace(/\{(\w+)\}/g, (_match, name: string) => params[name] ?? present[name] ?? "");
  return `${prefix}${filled}${suffix}${query === undefined ? "" : `?${query}`}`;
}

function send(operation: Operation, request: Request): Promise<Answer> {
  const { body = operation.bodyExample, key = MANAGER, headers = {}, signed = {}, method = operation.method } = request;
  const sent = body === undefined ? {} : { body };
  return api.call({ method, url: urlOf(operation, request), key, headers, signed, ...sent });
}

const wrongQueries = ({ name }: Operation, parameter: string) =>
  WRONG_QUERY_VALUES[`${name}.${parameter}`] ?? WRONG_QUERY_VALUES[parameter] ?? [];
const isWrite = ({ method, isManagersOnly }: Operation) => method !== "GET" || isManagersOnly === true;
/** Recordings outlive their channel. */
const notFoundIn = (operation: Operation) => notFound(has(operation, "recordingId") ? "Recording" : "Channel");

const has = ({ path }: Operation, param: string) => path.includes(`{${param}}`);
const UNKNOWN_KEY = { ...MANAGER, accessKeyId: "NOBODY" };
const LARGE = Buffer.alloc(1024 * 1024 + 1, "x");
const UNKNOWN_CHANNEL = "ls-20200324144322-qfphX";

describe.each(OPERATIONS)("$method $path", (operation) => {
  const cell = async (name: string, request: Request, expected: Expected) =>
    expectAnswer(await send(operation, request), expected, `${operation.name}: ${name}`);

  test("a header of the authentication is missing", async () => {
    for (const header of ["x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2"]) {
      for (const value of [undefined, ""]) await cell(header, { headers: { [header]: value } }, MISSING);
    }
  });

  test("an unknown key, a wrong signature, an unknown bearer", async () => {
    await cell("unknown key", { key: UNKNOWN_KEY }, INVALID);
    await cell("another key's secret", { key: { ...MANAGER, secretKey: VIEWER.secretKey } }, INVALID);
    for (const text of ["x", "A".repeat(44), `${"A".repeat(43)}=`]) {
      await cell("garbage", { headers: { "x-ncp-apigw-signature-v2": text } }, INVALID);
    }
    await cell("bearer", { headers: { authorization: "Bearer unknown" } }, INVALID);
  });

  test("a signature of another method, path, query, prefix or time", async () => {
    const url = urlOf(operation, {});
    const signed = [
      { method: operation.method === "GET" ? "POST" : "GET" },
      { method: operation.method.toLowerCase() },
      { url: `${url}x` },
      { url: `${url}?pageNo=1` },
      { url: url.replace("/api/v2", "/api/fin-v2") },
    ];
    for (const each of signed) await cell(JSON.stringify(each), { signed: each }, INVALID);
    await cell("query", { query: "pageNo=1&pageSizeNo=2", signed: { url: `${url}?pageSizeNo=2&pageNo=1` } }, INVALID);
    await cell("later", { headers: { "x-ncp-apigw-timestamp": String(api.clock.wallMs + 1) } }, INVALID);
  });

  test("a timestamp that is 301 s off, or missing; 299 s are accepted", async () => {
    for (const [offsetMs, words] of [
      [301_000, "301 s ahead of"],
      [-301_000, "301 s behind"],
    ] as const) {
      const details = `Invalid authentication information. The timestamp is ${words} this server's clock; 300 s are allowed.`;
      const signed = { timestamp: String(api.clock.wallMs + offsetMs) };
      await cell(words, { signed }, unauthenticated(details));
    }
    const none = "Invalid authentication information. The timestamp must be milliseconds since 1970-01-01 UTC.";
    for (const timestamp of ["now", "-1", "1e12"])
      await cell(timestamp, { signed: { timestamp } }, unauthenticated(none));
    // As far as the next check: the region.
    for (const offsetMs of [299_000, -299_000]) {
      const signed = { timestamp: String(api.clock.wallMs + offsetMs) };
      await cell("299 s", { signed, headers: { "x-ncp-region_code": "JP" } }, wrongRegion("JP", "KR"));
    }
  });

  test("a viewer where only a manager may", async () => {
    if (isWrite(operation)) await cell("viewer", { key: VIEWER }, denied(operation));
    // A viewer that may read is admitted: as far as the region.
    else await cell("viewer", { key: VIEWER, headers: { "x-ncp-region_code": "JP" } }, wrongRegion("JP", "KR"));
  });

  test("a wrong region", async () => {
    for (const [prefix, served] of [
      ["/api/v2", "KR"],
      ["/api/fin-v2", "FKR"],
    ] as const) {
      for (const code of [served === "KR" ? "FKR" : "KR", "JP", "kr"]) {
        await cell(`${prefix} ${code}`, { prefix, headers: { "x-ncp-region_code": code } }, wrongRegion(code, served));
      }
    }
  });

  test("a body over 1 MiB", async () => {
    await cell("large", { body: LARGE }, TOO_LARGE);
  });

  test("an unknown URL beside it, and a method it does not have", async () => {
    await cell("slash", { suffix: "/" }, NO_URL);
    await cell("more", { suffix: "/x/y/z" }, NO_URL);
    const known = new Set(OPERATIONS.filter(({ path }) => path === operation.path).map(({ method }) => method));
    for (const method of (["GET", "POST", "PUT", "DELETE"] as const).filter((each) => !known.has(each))) {
      await cell(method, { method }, NO_URL);
    }
  });

  test("a body that is not JSON, or no object", async () => {
    if (operation.body === undefined) return expect(operation.bodyExample).toBeUndefined();
    for (const body of ["{", "{'a':1}", "\u0000", Buffer.from([0x22, 0xff, 0x22]), "[".repeat(50_000)]) {
      await cell(JSON.stringify(body).slice(0, 40), { body }, NOT_JSON);
    }
    // A body that may be left out altogether may also be empty.
    const isOptional = ["renewStreamKey", "startTestPattern", "moveNodeChannels"].includes(operation.name);
    if (!isOptional) await cell("empty", { body: "" }, NOT_JSON);
    for (const body of ["5", '"text"', "[]", "true", "null"]) {
      await cell(body, { body }, notJson("The body must be a JSON object."));
    }
  });

  test("a missing channel, platform, key or delivery, or another channel's", async () => {
    if (has(operation, "channelId")) {
      for (const channelId of [UNKNOWN_CHANNEL, "x", "%20", "%00", "..%2F..%2F", "a".repeat(2_000)]) {
        await cell(channelId.slice(0, 40), { params: { channelId } }, notFoundIn(operation));
      }
    }
    if (has(operation, "platformId")) {
      for (const platformId of [otherPlatform, "99", "0", "-1", "9".repeat(30)]) {
        await cell(platformId, { params: { platformId } }, notFound("Platform"));
      }
    }
    if (has(operation, "accessKey")) await cell("key", { params: { accessKey: "NOBODY" } }, notFound("Access key"));
    if (has(operation, "deliveryId")) {
      for (const deliveryId of ["1", "-1", "9".repeat(30)])
        await cell(deliveryId, { params: { deliveryId } }, notFound("Delivery"));
    }
    if (has(operation, "startTime")) {
      for (const startTime of ["1", "-1", "9".repeat(30)])
        await cell(startTime, { params: { startTime } }, notFound("Report"));
    }
    if (has(operation, "incarnation")) {
      for (const incarnation of ["8", "0", "x", "9".repeat(30)])
        await cell(incarnation, { params: { incarnation } }, notFound("Node"));
    }
    if (has(operation, "contactId")) await cell("contact", { params: { contactId: "ct-none" } }, notFound("Contact"));
    if (has(operation, "fileId")) await cell("file", { params: { fileId: "mf-none" } }, notFound("Media file"));
    if (has(operation, "scheduleId"))
      await cell("schedule", { params: { scheduleId: "sc-none" } }, notFound("Schedule"));
    if (has(operation, "recordingId")) {
      for (const recordingId of ["20260102030405-002", "x", "..%2F..%2Fx", "%00", "a".repeat(2_000)])
        await cell(recordingId.slice(0, 40), { params: { recordingId } }, notFound("Recording"));
    }
    const params = [
      "channelId",
      "platformId",
      "accessKey",
      "deliveryId",
      "startTime",
      "recordingId",
      "fileId",
      "scheduleId",
      "incarnation",
      "contactId",
    ];
    expect(operation.path.match(/\{/g)?.length ?? 0).toBe(params.filter((each) => has(operation, each)).length);
  });

  test("a path parameter that is no integer", async () => {
    for (const name of ["platformId", "deliveryId", "startTime"].filter((each) => has(operation, each))) {
      for (const text of ["x", "1.5", "1e3", "%201", "0x1"]) {
        await cell(text, { params: { [name]: text } }, wrongType(name, `${name}: expected an integer.`));
      }
    }
  });

  test("each query parameter of a wrong type or outside its bounds", async () => {
    for (const name of Object.keys(operation.query?.shape ?? {})) {
      for (const { query, given, rule, isType } of wrongQueries(operation, name)) {
        const details = said(name, rule, given);
        await cell(query, { query }, isType ? wrongType(name, details) : invalid(name, details));
      }
    }
  });

  test("each field missing, of a wrong type, too long or outside its enum", async () => {
    const { body, bodyExample = {}, name } = operation;
    for (const path of body === undefined ? [] : fieldsOf(body)) {
      const field = lastOf(path);
      for (const { value, rule } of WRONG_BODY_VALUES[field] ?? []) {
        const sent = withField(bodyExample, path, value);
        await cell(
          `${path} ${JSON.stringify(value).slice(0, 40)}`,
          { body: sent },
          invalid(path, said(path, rule, value)),
        );
      }
      if (!(REQUIRED[name] ?? []).includes(field)) continue;
      const rules = MISSING_RULES[field] ?? { absent: "", empty: "" };
      for (const [value, rule] of [
        [undefined, rules.absent],
        [null, rules.absent],
        ["", rules.empty],
      ]) {
        const details = `${path}: expected ${rule}, got nothing.`;
        await cell(`${path} ${value}`, { body: withField(bodyExample, path, value) }, needed(path, details));
      }
    }
  });

  test("of two wrong fields the first in the contract's order is named, whichever comes first in the body", async () => {
    const { body, bodyExample = {} } = operation;
    const fields = body === undefined ? [] : fieldsOf(body).filter((path) => !path.includes("["));
    for (const [index, first] of fields.entries()) {
      const [wrongFirst] = WRONG_BODY_VALUES[lastOf(first)] ?? [];
      for (const second of fields.slice(index + 1).filter((each) => !each.startsWith(`${first}.`))) {
        const [wrongSecond] = WRONG_BODY_VALUES[lastOf(second)] ?? [];
        const sent = withField(withField(bodyExample, second, wrongSecond?.value), first, wrongFirst?.value);
        const reversed = Object.fromEntries(Object.entries(sent).reverse());
        const expected = invalid(first, said(first, wrongFirst?.rule ?? "", wrongFirst?.value));
        for (const both of [sent, reversed]) await cell(`${first} + ${second}`, { body: both }, expected);
      }
    }
  });

  test("with everything wrong at once the first check that fails is reported, in the contract's order", async () => {
    const ladder = ladderOf(operation);
    for (const [index, { name, expected }] of ladder.entries()) {
      const request = ladder.slice(index).reduceRight<Request>((made, { request: wrong }) => merged(made, wrong), {});
      await cell(`${name} before ${ladder.slice(index + 1).map((each) => each.name)}`, request, expected);
    }
  });

  test("none of these requests changed anything", async () => {
    expect(await everything()).toEqual(before);
    expect([api.runtime.applied, api.runtime.removed, api.runtime.ended, api.runtime.cut]).toEqual([[], [], [], []]);
  });
});

type Rung = { readonly name: string; readonly request: Request; readonly expected: Expected };

/** The earlier check's wrong part wins where two need the same part of the request. */
function merged(later: Request, earlier: Request): Request {
  return {
    ...later,
    ...earlier,
    headers: { ...later.headers, ...earlier.headers },
    params: { ...later.params, ...earlier.params },
  };
}

/** Everything that can be wrong with a call, in the order of the checks. */
function ladderOf(operation: Operation): Rung[] {
  const { body, query, name } = operation;
  const rungs: Rung[] = [
    { name: "url", request: { suffix: "/x/y/z" }, expected: NO_URL },
    { name: "size", request: { body: LARGE }, expected: TOO_LARGE },
    { name: "authentication", request: { key: UNKNOWN_KEY }, expected: INVALID },
  ];
  if (isWrite(operation)) rungs.push({ name: "role", request: { key: VIEWER }, expected: denied(operation) });
  rungs.push({
    name: "region",
    request: { headers: { "x-ncp-region_code": "JP" } },
    expected: wrongRegion("JP", "KR"),
  });
  if (body !== undefined) rungs.push({ name: "JSON", request: { body: "{" }, expected: NOT_JSON });
  for (const param of ["platformId", "deliveryId", "startTime"].filter((each) => has(operation, each))) {
    const expected = wrongType(param, `${param}: expected an integer.`);
    rungs.push({ name: param, request: { params: { [param]: "x" } }, expected });
  }
  const [parameter = ""] = Object.keys(query?.shape ?? {});
  const [wrong] = wrongQueries(operation, parameter);
  if (wrong !== undefined) {
    const details = said(parameter, wrong.rule, wrong.given);
    const expected = wrong.isType ? wrongType(parameter, details) : invalid(parameter, details);
    rungs.push({ name: "query", request: { query: wrong.query }, expected });
  }
  if (has(operation, "channelId")) {
    rungs.push({
      name: "channel",
      request: { params: { channelId: UNKNOWN_CHANNEL } },
      expected: notFoundIn(operation),
    });
  }
  const places = { platformId: "Platform", scheduleId: "Schedule", contactId: "Contact", incarnation: "Node" } as const;
  for (const [param, what] of Object.entries(places)) {
    const unknown = param === "platformId" || param === "incarnation" ? "99" : "none";
    const request = { params: { [param]: unknown } };
    if (has(operation, param)) rungs.push({ name: param, request, expected: notFound(what) });
  }
  const [field = ""] = body === undefined ? [] : fieldsOf(body);
  const [value] = WRONG_BODY_VALUES[field] ?? [];
  if (body !== undefined && value !== undefined) {
    const request = { body: { ...operation.bodyExample, [field]: value.value } };
    rungs.push({ name: `${name} body`, request, expected: invalid(field, said(field, value.rule, value.value)) });
  }
  return rungs;
}

describe("requests that the present state does not allow", () => {
  const find = (name: string): Operation => {
    const operation = OPERATIONS.find((each) => each.name === name);
    if (operation === undefined) throw new Error(name);
    return operation;
  };
  const tooMany = (plan: string, limit: number, given: number) =>
    ofService(
      400,
      250014,
      "FORMVALIDATION_FAILED",
      "Form validation failed",
      `restream: the plan ${plan} allows ${limit} platforms, got ${given}.`,
    );
  const notAvailable = (what: string, details: string) =>
    ofService(409, 250005, "NOT_AVAILABLE", `${what} not available.`, details);
  const ON_AIR = notAvailable("Channel", "The channel is on air.");
  const params = () => ({ channelId: present["channelId"] ?? "", platformId: present["platformId"] ?? "" });
  const cell = async (name: string, request: Request, expected: Expected) =>
    expectAnswer(await send(find(name), { params: params(), ...request }), expected, name);

  test("more platforms than the plan has, and none", async () => {
    const create = { channelName: "channel001", planType: "STANDARD" };
    const four = { ...create, restream: Array.from({ length: 4 }, () => PLATFORM) };
    await cell("createChannel", { body: four }, tooMany("STANDARD", 3, 4));
    const six = { ...create, planType: "PROFESSIONAL", restream: Array.from({ length: 6 }, () => PLATFORM) };
    await cell("createChannel", { body: six }, tooMany("PROFESSIONAL", 5, 6));
    const none = "restream: expected at least one platform, got an empty array.";
    const empty = ofService(400, 250014, "FORMVALIDATION_FAILED", "Form validation failed", none);
    await cell("createChannel", { body: { ...create, restream: [] } }, empty);

    const full = await api.create({ planType: "PROFESSIONAL", restream: Array.from({ length: 5 }, () => PLATFORM) });
    const ofFull = { params: { channelId: full.channelId } };
    await cell("addPlatform", ofFull, tooMany("PROFESSIONAL", 5, 6));
    await cell("updateChannel", { ...ofFull, body: { planType: "STANDARD" } }, tooMany("STANDARD", 3, 5));
  });

  test("a callback without an address", async () => {
    const details = 'callbackEndpoint: expected an http:// or https:// address, or "" to remove it, got nothing.';
    for (const name of ["setChannelCallback", "setDefaultCallback"]) {
      for (const body of [{}, { callbackUrl: null }]) await cell(name, { body }, needed("callbackEndpoint", details));
    }
  });

  test("the last manager's key is not deleted", async () => {
    const last = notAvailable("Access key", "This is the last manager's key: without it no other key can be made.");
    await cell("deleteAccessKey", { params: { accessKey: MANAGER.accessKeyId } }, last);
  });

  test("a channel on air is neither deleted nor edited, its linked platform not tested, one that is off not retried", async () => {
    const { channelId = "", platformId = "" } = params();
    api.runtime.start(channelId, 1);
    await cell("deleteChannel", {}, ON_AIR);
    await cell("editPlatform", {}, ON_AIR);
    await cell("editPlatform", { query: "onAir=false" }, ON_AIR);
    for (const status of ["CONNECTING", "PUBLISHING"] as const) {
      api.runtime.status(channelId, Number(platformId), { status, sinceTime: 1 });
      const linked = "The platform is connected or connecting; a test could end its broadcast.";
      await cell("testPlatform", {}, notAvailable("Platform", linked));
    }
    await send(find("offPlatform"), {});
    const off = "The platform is turned off: turn it on, and it is dialled at once.";
    await cell("retryPlatform", {}, notAvailable("Platform", off));
  });
});

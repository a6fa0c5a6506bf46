import { createHash } from "node:crypto";
import { type SpecData, Validator } from "@seriousme/openapi-schema-validator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { DELIVERY_PROBLEMS, DELIVERY_STATES, EVENT_CODES } from "../../../src/api-contract/event-words.ts";
import { FIELD_NOTES } from "../../../src/api-contract/field-notes.ts";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import { ANSWER_SCHEMAS } from "../../../src/api-contract/schemas/answer-schemas.ts";
import { INGEST_WARNING_CODES } from "../../../src/control/ingest-check/ingest-findings.ts";
import type { NodeRecord, Nodes } from "../../../src/control/ports/nodes.ts";
import { SERVER_TROUBLE_NAMES } from "../../../src/thread-protocol/server-troubles.ts";
import { TARGET_ERROR_CODES, TARGET_WARNING_CODES } from "../../../src/thread-protocol/targets/target-status.ts";
import { readPages } from "../../support/checks/doc-pages.ts";
import { routesOf } from "../../support/checks/routes-of.ts";
import { Api, PLATFORM } from "../api.ts";
import { checkPublished, DOCUMENT } from "../contract/published-answers.ts";
import { EventReader } from "../live/event-reader.ts";

const NODE: NodeRecord = { incarnation: 7, nodeId: "a", version: "1", state: "SERVING", isSelf: true };
const NODES: Nodes = {
  list: async () => [NODE],
  drain: async () => NODE,
  moveChannels: async (from, to) => (from === NODE.incarnation && to === 2 ? { node: NODE } : undefined),
};

let api: Api;
beforeEach(async () => {
  api = await Api.open({ nodes: NODES });
});
afterEach(() => api.close());

test("every route of both prefixes is published, and nothing that is no route", async () => {
  await api.server.ready();
  const routes = routesOf(api.server.printRoutes({ commonPrefix: false })).filter(
    (route) => / \/api\//.test(route) && !route.startsWith("HEAD "),
  );
  const prefixes: string[] = DOCUMENT.servers.map(({ url }: { url: string }) => url);
  const published = OPERATIONS.flatMap(({ method, path }) => prefixes.map((prefix) => `${method} ${prefix}${path}`));
  expect(routes).toEqual(published.sort());
  const inDocument = Object.entries<object>(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(inDocument.sort()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).sort());
});

test("the document follows OpenAPI's own schema of documents, and one with a fault does not", async () => {
  const problems = async (document: SpecData) => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    return valid ? [] : errors;
  };
  expect(await problems(DOCUMENT)).toEqual([]);
  const [path = ""] = Object.keys(DOCUMENT.paths);
  const { responses: _without, ...operation } = DOCUMENT.paths[path].get;
  const wrong = { ...DOCUMENT, paths: { [path]: { get: { ...operation, responses: [] } } } };
  expect(await problems(wrong)).not.toEqual([]);
});

test("the document is OpenAPI 3.1: unique operation ids, every reference there, every path parameter declared", async () => {
  expect(DOCUMENT.openapi).toBe("3.1.0");
  const text = JSON.stringify(DOCUMENT);
  for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    expect(DOCUMENT.components.schemas).toHaveProperty(name);
  }
  const names = OPERATIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { method, path } of OPERATIONS) {
    const parameters: { name: string; in: string }[] = DOCUMENT.paths[path][method.toLowerCase()].parameters ?? [];
    const inPath = parameters.filter((each) => each.in === "path").map((each) => `{${each.name}}`);
    expect(inPath).toEqual(path.match(/\{\w+\}/g) ?? []);
  }
});

test("fields of a later version are not published, and every published field is explained", () => {
  const fields = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "properties") for (const name of Object.keys(child)) fields.add(name);
      walk(child);
    }
  };
  walk(DOCUMENT.components.schemas);
  for (const { method, path, body } of OPERATIONS) {
    if (body !== undefined) walk(DOCUMENT.paths[path][method.toLowerCase()].requestBody);
  }
  const plain = ["content", "total", "error", "errorCode", "errorName", "message", "details", "code", "url"];
  expect([...fields].filter((name) => FIELD_NOTES[name] === undefined && !plain.includes(name))).toEqual([]);
  expect(
    Object.keys(FIELD_NOTES).filter(
      (name) => !fields.has(name) && !/^(onAir|anyName|format|lang|timeZone|page.*)$/.test(name),
    ),
  ).toEqual([]);
});

const SCHEDULE = { fileIds: ["mf-0123456789ab"], timeZone: "UTC", repeat: "daily", startAt: "20:00" };

describe("every published example works unchanged", () => {
  test.each(OPERATIONS.filter(({ bodyExample }) => bodyExample !== undefined))(
    "$method $path",
    async ({ method, path, bodyExample }) => {
      const { channelId } = await api.create({ restream: [PLATFORM] });
      api.files.add("mf-0123456789ab");
      const schedules = `/api/v2/re-stream/channels/${channelId}/schedules`;
      const scheduled = path.includes("{scheduleId}") ? await api.content("POST", schedules, SCHEDULE) : {};
      const contact = { contactName: "Room", contactKind: "slack", webhookUrl: "https://chat.example/hook" };
      const added = path.includes("{contactId}") ? await api.content("POST", "/api/v2/events/contacts", contact) : {};
      const incarnation = String(NODE.incarnation);
      const made = { contactId: added.contactId, scheduleId: scheduled.scheduleId };
      const names = { ...made, channelId, incarnation, platformId: "1" };
      const url = Object.entries(names).reduce(
        (text, [name, value]) => text.replace(`{${name}}`, value),
        `/api/v2${path}`,
      );
      const published = DOCUMENT.paths[path][method.toLowerCase()].requestBody.content["application/json"];
      expect(published.example).toEqual(bodyExample);
      const answer = await api.call({ method, url, body: published.example });
      expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    },
  );

  test("and every call with a body has one", () => {
    expect(OPERATIONS.filter(({ body, bodyExample }) => (body === undefined) !== (bodyExample === undefined))).toEqual(
      [],
    );
  });
});

test("every trouble of the server has its word in the note, and in the operator's page", () => {
  const page = [...readPages("docs/operations").values()].join("\n");
  for (const name of SERVER_TROUBLE_NAMES) {
    expect(FIELD_NOTES["trouble"]).toContain(`\`${name}\``);
    expect(page).toContain(`\`${name}\``);
  }
});

test("the API's page has every word for a failure, a warning, an event and a delivery", () => {
  const page = [...readPages("docs/api.md", "docs/api").values()].join("\n");
  const words = [
    INGEST_WARNING_CODES,
    TARGET_ERROR_CODES,
    TARGET_WARNING_CODES,
    EVENT_CODES,
    DELIVERY_STATES,
    DELIVERY_PROBLEMS,
  ].flat();
  expect(words.filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
});

test("the stream sends what is published", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId } = await api.create();
  const reader = await EventReader.open(api);
  const parsed = async (name: keyof typeof ANSWER_SCHEMAS) => {
    const event = await reader.next();
    const result = ANSWER_SCHEMAS[name].safeParse(event.data);
    expect(result.success ? event.name : z.prettifyError(result.error)).toBe(name.replace("Live", "").toLowerCase());
  };
  await parsed("LiveSnapshot");
  api.runtime.start(channelId, 1);
  api.runtime.sample(channelId, 1, { bytesPerSecond: 5 });
  const lastError = { code: "TCP_RESET", severity: "transient", message: "x", messageKo: "오류", time: 1 } as const;
  api.runtime.status(channelId, 1, { status: "FAIL", sinceTime: 1, lastError, retryAttempt: 1, nextRetryTime: 2 });
  api.live.changed(channelId);
  api.clock.advance(100);
  await parsed("LiveChannel");
  await parsed("LivePlatform");
  api.troubles.set("memory", true);
  await parsed("LiveServer");
  reader.close();
});

test("the tests' own check refuses an answer that has too much, too little, or another type", () => {
  const key = { accessKey: "A", role: "viewer", createdTime: 1 };
  const check = (content: object) => () => checkPublished("DELETE", "/api/v2/access-keys/A", 200, { content });
  expect(check(key)).not.toThrow();
  expect(check({ ...key, secret: "x" })).toThrow(/secret/);
  expect(check({ accessKey: "A", role: "viewer" })).toThrow(/createdTime/);
  expect(check({ ...key, createdTime: "1" })).toThrow(/createdTime/);
  expect(() => checkPublished("GET", "/api/v2/access-keys", 200, { content: [] })).toThrow(/total/);
  expect(() => checkPublished("GET", "/api/v2/access-keys", 418, {})).toThrow(/not in the published document/);
});

test("the document is served to programs, the page to people, and the page needs no other host", async () => {
  const json = await api.server.inject({ method: "GET", url: "/openapi.json" });
  expect(json.headers["content-type"]).toBe("application/json;charset=utf-8");
  expect(json.json()).toEqual(DOCUMENT);
  const page = await api.server.inject({ method: "GET", url: "/docs" });
  expect(page.headers["content-type"]).toBe("text/html;charset=utf-8");
  expect(page.headers["content-security-policy"]).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; /,
  );
  expect(page.body).not.toMatch(/<script|<link|<img|@import|url\(|src=|href="https?:/);
  for (const { method, path, name } of OPERATIONS) {
    expect(page.body).toContain(`<section id="${name}"><h3><code>${method} ${path}</code>`);
  }
});

test("the page's style is the one its policy allows", async () => {
  const page = await api.server.inject({ method: "GET", url: "/docs" });
  const style = /<style>(.*?)<\/style>/s.exec(page.body)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(page.headers["content-security-policy"]).toContain(`'sha256-${hash}'`);
});

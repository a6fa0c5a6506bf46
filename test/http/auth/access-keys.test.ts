import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNELS, gateway, MANAGER, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const KEYS = "/api/v2/access-keys";

async function create(body: object) {
  const answer = await api.post(KEYS, body);
  expect(answer.status).toBe(200);
  return answer.body.content;
}

const list = async () => (await api.get(KEYS)).body;

test("a key is created, works, is listed without its secret, and stops working when it is deleted", async () => {
  const created = await create({ role: "viewer", name: "screen in the hall" });
  const { accessKey, secretKey, ...rest } = created;
  expect(accessKey).toMatch(/^[A-Z0-9]{20}$/);
  expect(secretKey).toMatch(/^[A-Za-z0-9]{40}$/);
  expect(rest).toEqual({ role: "viewer", name: "screen in the hall", createdTime: api.clock.wallMs });

  const key = { accessKeyId: accessKey, secretKey };
  expect((await api.get(CHANNELS, key)).status).toBe(200);
  const listed = await api.get(KEYS);
  expect(listed.body.total).toBe(3);
  expect(listed.body.content[2]).toEqual({ accessKey, ...rest, lastUsedTime: api.clock.wallMs });
  for (const secret of [secretKey, MANAGER.secretKey, VIEWER.secretKey]) expect(listed.text).not.toContain(secret);

  const deleted = await api.delete(`${KEYS}/${accessKey}`);
  expect(deleted.status).toBe(200);
  expect(deleted.body.content).toEqual({ accessKey, ...rest, lastUsedTime: api.clock.wallMs });
  expect((await api.get(CHANNELS, key)).status).toBe(401);
  expect((await list()).total).toBe(2);
  const again = await api.delete(`${KEYS}/${accessKey}`);
  expect([again.status, again.body]).toEqual([404, service(250004, "NOT_FOUND", "Access key not found.")]);
});

test("a new manager has a manager's rights, and a name is optional", async () => {
  const { accessKey, secretKey, name } = await create({ role: "manager" });
  expect(name).toBeUndefined();
  const key = { accessKeyId: accessKey, secretKey };
  expect((await api.post(KEYS, { role: "viewer" }, key)).status).toBe(200);
});

test("viewers may not even read keys, under either prefix, and are refused before the region is checked", async () => {
  const refused = gateway("210", "Permission Denied", "This needs a manager's access key.");
  for (const prefix of ["/api/v2", "/api/fin-v2"]) {
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["DELETE", `/${MANAGER.accessKeyId}`],
    ] as const) {
      const url = `${prefix}/access-keys${path}`;
      const answer = await api.call({ method, url, key: VIEWER, headers: { "x-ncp-region_code": "XX" } });
      expect([answer.status, answer.body]).toEqual([401, refused]);
      expect(answer.headers["x-ncp-apigw-response-origin"]).toBe("APIGW");
    }
  }
  expect((await list()).total).toBe(2);
});

test.each([
  [{}, 250011, "NEED_VALUE", "role must has a valid value"],
  [{ role: "owner" }, 250002, "INVALID_FORMAT", "role: invalid value."],
  [{ role: "viewer", name: "n".repeat(41) }, 250002, "INVALID_FORMAT", "name: invalid value."],
  [{ role: "viewer", name: "a\nb" }, 250002, "INVALID_FORMAT", "name: invalid value."],
])("creating with %j is %d", async (body, code, name, message) => {
  const answer = await api.post(KEYS, body);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject(service(code, name, message));
  expect((await list()).total).toBe(2);
});

test("the last manager's key cannot be deleted, and one of two can, also by itself", async () => {
  const own = { method: "DELETE", url: `${KEYS}/${MANAGER.accessKeyId}` } as const;
  const refused = await api.call(own);
  expect(refused.status).toBe(409);
  expect(refused.body).toMatchObject(service(250005, "NOT_AVAILABLE", "Access key not available."));
  expect((await list()).total).toBe(2);
  const other = await create({ role: "manager" });
  expect((await api.call(own)).status).toBe(200);
  expect((await api.get(KEYS)).status).toBe(401);
  const key = { accessKeyId: other.accessKey, secretKey: other.secretKey };
  expect((await api.delete(`${KEYS}/${other.accessKey}`, key)).status).toBe(409);
});

test("of two managers who delete each other at once one is left", async () => {
  const { accessKey, secretKey } = await create({ role: "manager" });
  const answers = await Promise.all([
    api.delete(`${KEYS}/${accessKey}`),
    api.delete(`${KEYS}/${MANAGER.accessKeyId}`, { accessKeyId: accessKey, secretKey }),
  ]);
  expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  expect(await api.store.hasManagerKey()).toBe(true);
});

test("the last use is written at most once a minute, by signature or bearer, and refused requests do not count", async () => {
  const used = async () => {
    const { content } = await list();
    return content.map(({ lastUsedTime }: { lastUsedTime?: number }) => lastUsedTime);
  };
  const start = api.clock.wallMs;
  await api.get(CHANNELS, { ...VIEWER, secretKey: "wrong" });
  await list();
  expect(await used()).toEqual([start, undefined]);
  api.clock.advance(59_000);
  await api.get(CHANNELS, VIEWER);
  expect(await used()).toEqual([start, start + 59_000]);
  api.clock.advance(1_000);
  await list();
  expect(await used()).toEqual([start + 60_000, start + 59_000]);
  api.clock.advance(70_000);
  const authorization = `Bearer ${VIEWER.secretKey}`;
  await api.server.inject({ method: "GET", url: CHANNELS, headers: { authorization } });
  await list();
  expect(await used()).toEqual([start + 130_000, start + 130_000]);
});

test("a last use that cannot be written makes no request fail", async () => {
  const writes: string[] = [];
  const failing = await Api.open({
    over: (store) =>
      new Proxy(store, {
        get: (from, name) => {
          if (name !== "markAccessKeyUsed") {
            const value: unknown = Reflect.get(from, name);
            return typeof value === "function" ? value.bind(from) : value;
          }
          return (accessKeyId: string) => {
            writes.push(accessKeyId);
            return Promise.reject(new Error("disk full"));
          };
        },
      }),
  });
  expect((await failing.call({ method: "GET", url: CHANNELS })).status).toBe(200);
  expect((await failing.call({ method: "GET", url: CHANNELS })).status).toBe(200);
  expect(writes).toEqual([MANAGER.accessKeyId]);
  await failing.close();
});

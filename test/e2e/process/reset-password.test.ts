import { join } from "node:path";
import { expect, test } from "vitest";
import { runFanfare } from "../../support/processes/fanfare-command.ts";
import type { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { Stage } from "../../support/stages/stage.ts";

const PASSWORD = "correct horse";

/** The token of the set-up link in the output. */
function printedToken(text: string): string {
  const token = /\/setup#token=([a-z0-9]+)/.exec(text)?.[1];
  if (token === undefined) throw new Error(`no set-up link in:\n${text}`);
  return token;
}

/** A browser on the server's own page; returns the status, the body and the session's cookie. */
async function browser(server: FanfareProcess, method: "GET" | "POST", path: string, sent: Sent = {}) {
  const { body, cookie = "" } = sent;
  const answer = await fetch(`${server.origin}${path}`, {
    method,
    headers: { origin: server.origin, "content-type": "application/json", cookie },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json()) as unknown,
    cookie: answer.headers
      .getSetCookie()
      .map((each) => each.split(";")[0])
      .join("; "),
  };
}
type Sent = { readonly body?: object; readonly cookie?: string };

test("`fanfare reset-password` beside a running server ends its sessions and prints a link that works", async () => {
  const stage = await Stage.open();
  const { fanfare } = await stage.server();
  const signedIn = { signedIn: true, needsSetup: false };
  const first = { token: printedToken(fanfare.stdout), password: PASSWORD };
  const { status, body, cookie } = await browser(fanfare, "POST", "/dashboard/setup", { body: first });
  expect([status, body]).toEqual([200, signedIn]);
  expect((await browser(fanfare, "GET", "/api/v2/re-stream/channels", { cookie })).status).toBe(200);

  const stream = await fetch(`${fanfare.origin}/api/v2/re-stream/events/stream`, { headers: { cookie } });
  expect(stream.status).toBe(200);

  const reset = await runFanfare(["reset-password", "--data-dir", join(stage.folder, "data")]);
  expect([reset.code, reset.stderr]).toEqual([0, ""]);
  expect(reset.stdout).toContain("every browser is signed out");

  // Open streams end as well, though another process changed the password.
  await expect(stream.text()).rejects.toThrow();
  expect((await browser(fanfare, "GET", "/api/v2/re-stream/channels", { cookie })).status).toBe(401);
  const session = await browser(fanfare, "GET", "/dashboard/session", { cookie });
  expect(session.body).toEqual({ signedIn: false, needsSetup: true });
  const old = await browser(fanfare, "POST", "/dashboard/session", { body: { password: PASSWORD } });
  expect([old.status, old.cookie]).toEqual([401, ""]);
  expect((await browser(fanfare, "POST", "/dashboard/setup", { body: first })).status).toBe(401);

  const second = { token: printedToken(reset.stdout), password: "another horse" };
  const again = await browser(fanfare, "POST", "/dashboard/setup", { body: second });
  expect([again.status, again.body]).toEqual([200, signedIn]);
  expect((await browser(fanfare, "GET", "/api/v2/re-stream/channels", { cookie: again.cookie })).status).toBe(200);
});

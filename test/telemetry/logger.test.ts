import { expect, test } from "vitest";
import { createLogger, type LogLevel, maskSecrets } from "../../src/telemetry/logger.ts";

function logger(level: LogLevel) {
  const lines: string[] = [];
  const log = createLogger({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

test("a line is one JSON object: time, level, event, fields", () => {
  const { log, lines } = logger("debug");
  log.info("http-request", { status: 200, route: "/a/:b", isSlow: false, none: undefined });
  expect(lines).toHaveLength(1);
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(rest).toEqual({ level: "info", event: "http-request", status: 200, route: "/a/:b", isSlow: false });
  expect(lines[0]?.endsWith("\n")).toBe(true);
});

test("only lines of the level and above are written", () => {
  const written = (level: LogLevel) => {
    const { log, lines } = logger(level);
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    return lines.map((line) => JSON.parse(line).event).join("");
  };
  expect((["silent", "error", "warn", "info", "debug"] as const).map(written)).toEqual(["", "e", "we", "iwe", "diwe"]);
});

test.each([
  ["rtmp://a.rtmp.youtube.com/live2/CANARY", "rtmp://a.rtmp.youtube.com/***"],
  ["connect to rtmps://host:443/CANARY/CANARY?CANARY failed.", "connect to rtmps://host:443/*** failed."],
  ["RTMP://HOST/CANARY", "RTMP://HOST/***"],
  ["rtmp://host?k=CANARY", "rtmp://host/***"],
  ['"rtmp://host/app/CANARY"', '"rtmp://host/***"'],
  ["rtmp://host", "rtmp://host"],
  ["rtmp://user:CANARY@host/app", "rtmp://***@host/***"],
  ["https://CANARY@example.com/path", "https://***@example.com/path"],
  ["/hook?token=CANARY&n=CANARY#x", "/hook?token=***&n=***#x"],
  ["?s_bl=1&a=CANARY", "?s_bl=***&a=***"],
  ["authorization: Bearer CANARY", "authorization: Bearer ***"],
  ["nothing secret: 5 = 5 & so on?", "nothing secret: 5 = 5 & so on?"],
])("%j is written as %j", (text, masked) => {
  expect(maskSecrets(text)).toBe(masked);
  const { log, lines } = logger("info");
  log.info(text, { detail: text });
  expect(lines[0]).not.toContain("CANARY");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: masked, detail: masked });
});

test.each(["streamKey", "secretKey", "key", "password", "loginPassword", "token", "authorization", "signature"])(
  "a field called %s is masked whatever it holds",
  (name) => {
    const { log, lines } = logger("info");
    log.warn("x", { [name]: "CANARY", accessKeyId: "AKID", isKeyframe: true });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ [name]: "***", accessKeyId: "AKID", isKeyframe: true });
  },
);

test("a value is cut, and masking a hostile text takes little time", () => {
  const { log, lines } = logger("info");
  const hostile = ["rtmp://".repeat(20_000), "a://".repeat(50_000), "?=&".repeat(50_000), "?a".repeat(50_000)];
  for (const detail of hostile) log.info("x", { detail });
  for (const line of lines) expect(JSON.parse(line).detail.length).toBeLessThanOrEqual(4_000);
});

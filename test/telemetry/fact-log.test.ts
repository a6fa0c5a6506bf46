import { expect, test } from "vitest";
import type { Log, LogFields } from "../../src/base/log.ts";
import { logFact } from "../../src/telemetry/fact-log.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";

function lines(fact: Fact): { level: string; event: string; fields: LogFields | undefined }[] {
  const written: { level: string; event: string; fields: LogFields | undefined }[] = [];
  const at = (level: string) => (event: string, fields?: LogFields) => written.push({ level, event, fields });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  logFact(log, fact);
  return written;
}

const FAILED = { code: "TCP_RESET", severity: "transient", message: "broke off", messageKo: "오류", time: 5 } as const;

const cases: readonly { name: string; fact: Fact; line: unknown }[] = [
  {
    name: "an encoder that connects",
    fact: {
      kind: "ingest-started",
      time: 1,
      channelId: "ls-1",
      ingestId: 2,
      remoteAddress: "192.0.2.1",
      encoder: "FMLE/3.0",
      keyRemoved: ["prefix", "address"],
      slot: "main",
      isBroadcastNew: true,
    },
    line: {
      level: "info",
      event: "ingest started",
      fields: {
        channelId: "ls-1",
        ingestId: 2,
        slot: "main",
        remoteAddress: "192.0.2.1",
        encoder: "FMLE/3.0",
        keyRemoved: "prefix, address",
        isBroadcastNew: true,
      },
    },
  },
  {
    name: "an encoder that leaves",
    fact: {
      kind: "ingest-ended",
      time: 1,
      channelId: "ls-1",
      ingestId: 2,
      slot: "main",
      end: "clean",
      isBroadcastOver: true,
    },
    line: {
      level: "info",
      event: "ingest ended",
      fields: { channelId: "ls-1", ingestId: 2, slot: "main", end: "clean", isBroadcastOver: true },
    },
  },
  {
    name: "an encoder that is lost and whose channel is held",
    fact: {
      kind: "ingest-held",
      time: 1,
      channelId: "ls-1",
      ingestId: 2,
      slot: "main",
      end: "connection-lost",
      holdSeconds: 120,
    },
    line: {
      level: "warn",
      event: "ingest held",
      fields: { channelId: "ls-1", ingestId: 2, slot: "main", end: "connection-lost", holdSeconds: 120 },
    },
  },
  {
    name: "an encoder that goes on air",
    fact: { kind: "publisher-active", time: 1, channelId: "ls-1", ingestId: 2, slot: "backup", heldMs: 7 },
    line: {
      level: "info",
      event: "publisher active",
      fields: { channelId: "ls-1", ingestId: 2, slot: "backup", heldMs: 7 },
    },
  },
  {
    name: "a standby that viewers would notice",
    fact: {
      kind: "standby-differs",
      time: 1,
      channelId: "ls-1",
      ingestId: 2,
      slot: "backup",
      detail: "width 1 instead of 2",
    },
    line: {
      level: "warn",
      event: "standby differs",
      fields: { channelId: "ls-1", ingestId: 2, slot: "backup", detail: "width 1 instead of 2" },
    },
  },
  {
    name: "two encoders that displace each other",
    fact: { kind: "encoders-fight", time: 1, channelId: "ls-1", slot: "main" },
    line: { level: "warn", event: "encoders fight", fields: { channelId: "ls-1", slot: "main" } },
  },
  {
    name: "an encoder that is refused",
    fact: { kind: "ingest-refused", time: 1, remoteAddress: "192.0.2.1", count: 3, reason: "unknown-key" },
    line: {
      level: "warn",
      event: "ingest refused",
      fields: { remoteAddress: "192.0.2.1", reason: "unknown-key", count: 3 },
    },
  },
  {
    name: "a target on air",
    fact: {
      kind: "target-status",
      time: 1,
      channelId: "ls-1",
      targetId: 3,
      from: "CONNECTING",
      status: { status: "PUBLISHING", sinceTime: 1 },
    },
    line: {
      level: "info",
      event: "target status",
      fields: { channelId: "ls-1", targetId: 3, from: "CONNECTING", to: "PUBLISHING" },
    },
  },
  {
    name: "a target that fails, with its reason and the next attempt",
    fact: {
      kind: "target-status",
      time: 1,
      channelId: "ls-1",
      targetId: 3,
      from: "PUBLISHING",
      status: { status: "FAIL", sinceTime: 1, lastError: FAILED, retryAttempt: 1, nextRetryTime: 9 },
    },
    line: {
      level: "warn",
      event: "target status",
      fields: {
        channelId: "ls-1",
        targetId: 3,
        from: "PUBLISHING",
        to: "FAIL",
        retryAttempt: 1,
        nextRetryTime: 9,
        code: "TCP_RESET",
        message: "broke off",
      },
    },
  },
  {
    name: "a fault of our own",
    fact: { kind: "internal-fault", time: 1, where: "link", detail: "TypeError: x" },
    line: { level: "error", event: "internal fault", fields: { where: "link", detail: "TypeError: x" } },
  },
];

test.each(cases)("$name is one line", ({ fact, line }) => {
  expect(lines(fact)).toEqual([line]);
});

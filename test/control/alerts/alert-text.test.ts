import { expect, test } from "vitest";
import { alertText } from "../../../src/control/alerts/alert-text.ts";
import { channelHealth } from "../../../src/control/health/channel-health.ts";
import { pullError } from "../../../src/sources/pull-links/pull-errors.ts";

const CHANNEL = { name: "Studio", targets: [] };
const lastError = { ...pullError("connection-refused"), time: 1 };
const link = { status: "FAIL", sinceTime: 1, isUnstable: false, lastError } as const;
const health = channelHealth({
  ...{ state: "live", live: undefined, warnings: [] },
  source: { state: "failed", sinceTime: 1, link },
});

test.each([
  { lostBy: "encoder", body: "The encoder was lost and the broadcast has ended. Start the encoder again." },
  {
    lostBy: "source",
    body: `The source was lost and the broadcast has ended. The server keeps trying to reconnect to it. ${lastError.message} Check the source's address, and whether it is streaming.`,
  },
  {
    lostBy: "stopped-source",
    body: `The broadcast has ended. ${lastError.message} Check the source's address, and whether it is streaming.`,
  },
  {
    lostBy: "server",
    body: "The server stopped unexpectedly and the broadcast has ended. Start the encoder again if it has stopped.",
  },
] as const)("a broadcast that ended names what was lost: $lostBy", ({ lostBy, body }) => {
  const verdict = { state: "broken", health, lostBy } as const;
  const alert = { channelId: "ls-1", severity: "broken", verdict, troubleCount: 0 } as const;
  expect(alertText(alert, CHANNEL, "en")).toEqual({ title: "Studio: Broadcast ended", body });
});

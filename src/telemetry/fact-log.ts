import type { Log } from "../base/log.ts";
import type { ServerFact } from "../control/facts/server-fact.ts";
import { recordingSentence } from "../thread-protocol/recordings/recordings.ts";

/** Writes one line for a fact. Facts carry no secrets, so neither do the lines. */
export function logFact(log: Log, fact: ServerFact): void {
  switch (fact.kind) {
    case "ingest-started": {
      const { channelId, ingestId, slot, remoteAddress, encoder, keyRemoved, isBroadcastNew } = fact;
      const key = keyRemoved === undefined ? {} : { keyRemoved: keyRemoved.join(", ") };
      return log.info("ingest started", { channelId, ingestId, slot, remoteAddress, encoder, ...key, isBroadcastNew });
    }
    case "ingest-ended": {
      const { channelId, ingestId, slot, end, isBroadcastOver } = fact;
      return log.info("ingest ended", { channelId, ingestId, slot, end, isBroadcastOver });
    }
    case "ingest-held": {
      const { channelId, ingestId, slot, end, holdSeconds, isSlateShown } = fact;
      const shown = isSlateShown === true ? { isSlateShown } : {};
      return log.warn("ingest held", { channelId, ingestId, slot, end, holdSeconds, ...shown });
    }
    case "hold-set": {
      const { channelId, ingestId, slot, leftMs } = fact;
      return log.info("hold set", { channelId, ingestId, slot, leftMs: Math.round(leftMs) });
    }
    case "publisher-active": {
      const { channelId, ingestId, slot, heldMs } = fact;
      return log.info("publisher active", { channelId, ingestId, slot, heldMs });
    }
    case "standby-differs": {
      const { channelId, ingestId, slot, detail } = fact;
      return log.warn("standby differs", { channelId, ingestId, slot, detail });
    }
    case "encoders-fight":
      return log.warn("encoders fight", { channelId: fact.channelId, slot: fact.slot });
    case "ingest-refused": {
      const { remoteAddress, reason, count, detail } = fact;
      return log.warn("ingest refused", { remoteAddress, reason, count, detail });
    }
    case "internal-fault":
      return log.error("internal fault", { where: fact.where, detail: fact.detail });
    case "node-link-fault":
      return log.warn("node link failed", { detail: fact.detail, count: fact.count });
    case "broadcast-lost":
      return log.warn("broadcast lost", { channelId: fact.channelId });
    case "channel-changed":
    case "over-threshold":
    case "silence-changed":
    case "slate-failed":
    case "source-changed":
    case "schedule-ran":
      // Its event says the same.
      return;
    case "server-trouble-changed": {
      const { trouble, isOver } = fact;
      if (isOver) return log.info("server trouble over", { trouble: trouble.name });
      return log.error("server trouble", { trouble: trouble.name, message: trouble.message });
    }
    case "server-trouble":
      // Its beginning and end are `server-trouble-changed`.
      return log.debug("server trouble met", { trouble: fact.trouble });
    case "recording-upload": {
      const { channelId, recordingId, upload } = fact;
      if (upload.state === "UPLOADED") return log.info("recording uploaded", { channelId, recordingId });
      return log.warn("recording not uploaded", { channelId, recordingId, detail: upload.detail });
    }
    case "recording-status": {
      const { channelId, status } = fact;
      if (status.status !== "FAIL") return log.info("recording status", { channelId, to: status.status });
      const { problem } = status;
      const { message } = recordingSentence(problem);
      return log.warn("recording status", { channelId, to: status.status, code: problem, message });
    }
    case "target-status": {
      const { channelId, targetId, from, status } = fact;
      const { lastError, retryAttempt, nextRetryTime } = status;
      const fields = { channelId, targetId, from, to: status.status, retryAttempt, nextRetryTime };
      const { warning } = status;
      if (warning !== undefined)
        return log.warn("target status", { ...fields, warning: warning.code, message: warning.message });
      if (status.status !== "FAIL") return log.info("target status", fields);
      return log.warn("target status", { ...fields, code: lastError?.code, message: lastError?.message });
    }
  }
}

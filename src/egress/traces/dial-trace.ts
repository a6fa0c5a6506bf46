import { isSrtUrl, parseSrtUrl } from "../../base/srt-url.ts";
import { parseTargetUrl } from "../../protocol/rtmp/url.ts";
import type { LinkEvents } from "../../relay/subscriber/rtmp-push/link.ts";
import type { ChannelId, TargetSpec } from "../../thread-protocol/channel-spec.ts";
import { OpenSpan, type SpanDeps } from "../../thread-protocol/traces/open-span.ts";
import type { SpanAttributes, TraceParent } from "../../thread-protocol/traces/traces.ts";

/** The stages of a dial. A login and a redirection go through those of RTMP more than once. */
export type DialStage =
  | "dns"
  | "tcp"
  | "tls"
  | "rtmp handshake"
  | "rtmp connect"
  | "rtmp publish"
  | "srt handshake"
  | "srt publish";

export type DialTraceDeps = SpanDeps & {
  /** The command that is being carried out; absent where the dial follows from none. */
  readonly current: TraceParent | undefined;
};

type DialSubject = { readonly target: TargetSpec; readonly channelId: ChannelId | undefined };

/** The trace of one dial: a span for the whole, and one inside it for each stage. */
export class DialTrace {
  readonly #deps: DialTraceDeps;
  readonly #whole: OpenSpan;
  #stage: OpenSpan | undefined;

  constructor(deps: DialTraceDeps, { target, channelId }: DialSubject) {
    this.#deps = deps;
    this.#whole = new OpenSpan(deps, {
      ...{ name: "target dial", kind: "client", parent: deps.current },
      attributes: {
        ...(channelId === undefined ? {} : { "fanfare.channel_id": channelId }),
        "fanfare.platform_id": target.targetId,
        ...serverOf(target.url),
      },
    });
  }

  /** A stage begins: the one before it has succeeded. */
  enter(name: DialStage): void {
    this.#stage?.end();
    this.#stage = new OpenSpan(this.#deps, { name, kind: "internal", parent: this.#whole });
  }

  /** The dial is over. `result`: `publishing`, or why it failed. Only the first call counts. */
  end(result: string, error?: string): void {
    this.#stage?.end({}, error);
    this.#whole.end({ "fanfare.result": result }, error);
  }

  /** The connection is gone. Where no event of this turn says why, this server left before the target accepted it. */
  gone(): void {
    queueMicrotask(() => this.end("left"));
  }

  /** The same events; those that end the dial end its trace. */
  watch(events: LinkEvents): LinkEvents {
    return {
      ...events,
      onPublishing: (...accepted) => {
        this.end("publishing");
        events.onPublishing(...accepted);
      },
      onClosed: (error) => {
        this.end(error.code, error.code);
        events.onClosed(error);
      },
    };
  }
}

/** Host, port and protocol alone: the rest of an address may hold a key. */
function serverOf(url: string): SpanAttributes {
  const address = isSrtUrl(url) ? parseSrtUrl(url) : parseTargetUrl(url);
  if (typeof address === "string") return {};
  const protocol = "scheme" in address ? address.scheme : "srt";
  return { "server.address": address.host, "server.port": address.port, "network.protocol.name": protocol };
}

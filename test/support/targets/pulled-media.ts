import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../../src/base/clock.ts";
import type { SourceStatus } from "../../../src/control/channels/source.ts";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { createResolver, type Resolver } from "../../../src/net/dns/resolver.ts";
import { encodeFlvTag, FLV_FILE_START } from "../../../src/protocol/flv/flv-tag.ts";
import type { PublishGateway } from "../../../src/relay/publish-gateway.ts";
import type { MediaMessage } from "../../../src/relay/stream/media-message.ts";
import { openPullLink } from "../../../src/sources/pull-links/open-pull-link.ts";
import { PullDialer } from "../../../src/sources/pull-links/pull-dialer.ts";
import { SourcePlayers } from "../../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";
import { testedFfmpeg } from "../checks/tested-image.ts";

/** Sources may be at these addresses; 127.0.0.2 stands for everything that they may not reach. */
const ALLOWED = "127.0.0.1/32,::1/128";
const TYPES = { audio: 8, video: 9, data: 18 } as const;

export type PulledMedia = {
  /** What came, as an FLV file. */
  readonly flv: () => Buffer;
  readonly count: (kind: "audio" | "video") => number;
  readonly statuses: readonly SourceStatus[];
  readonly close: () => Promise<void>;
};

/** Pulls a source by the real FFmpeg, and gathers what it would publish. `extraCa`: PEM of an authority to trust. */
export function pullMedia(url: string, { extraCa = "", resolver = createResolver() as Resolver } = {}): PulledMedia {
  const policy = { allowed: parseCidrList(ALLOWED), ownPorts: [], ownHosts: [] };
  const dialer = new PullDialer({ clock: systemClock, resolver, policy, extraCa });
  const messages: MediaMessage[] = [];
  const statuses: SourceStatus[] = [];
  const gateway: PublishGateway = {
    ...{ channelId: "c", latency: "efficient", isFull: false },
    tryAdmit: async () => "admitted",
    open: () => ({
      push: (message) => void messages.push({ ...message, payload: Buffer.from(message.payload) }),
      end: () => undefined,
    }),
    flush: () => undefined,
    leave: () => undefined,
  };
  const quiet = () => undefined;
  const players = new SourcePlayers({
    ...{ clock: systemClock, random: Math.random, findFfmpeg: testedFfmpeg },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    files: { list: () => [], get: () => assert.fail("no file"), path: () => "", problem: async () => undefined },
    openLink: (address, signal, from) => openPullLink(address, { dialer, randomBytes }, signal, from),
    publish: async () => gateway,
    onStatus: (_channelId, status) => void statuses.push(status),
  });
  players.start({
    ...{ channelId: "c", source: { kind: "pull", url }, position: 0 },
    read: async () => ({}) as ChannelSpec,
  });
  const tags = () => messages.map(({ kind, timestamp, payload }) => ({ type: TYPES[kind], timestamp, payload }));
  return {
    flv: () => Buffer.concat([FLV_FILE_START, ...tags().map(encodeFlvTag)]),
    count: (kind) => messages.filter((message) => message.kind === kind).length,
    statuses,
    close: () => players.close(),
  };
}

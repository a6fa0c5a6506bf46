import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Admitted } from "../../../control/access/admission.ts";
import { AdmissionFreshness } from "../../../control/access/admission-freshness.ts";
import type { PreviewAccess, PreviewPlace } from "../../../control/access/preview-access.ts";
import { CHALLENGE_REMEMBERED_MS, SpentChallenges } from "../../../control/access/spent-challenges.ts";
import type { SharedGuards } from "../../../control/ports/shared-guards.ts";
import type {
  AdmissionDecision,
  AdmissionRequest,
  IngestUser,
  LoginRequest,
  ProvenLogin,
} from "../../../thread-protocol/admission.ts";
import type { ChannelId, ChannelSpec } from "../../../thread-protocol/channel-spec.ts";
import type { ControlReply, MediaRequest } from "../../../thread-protocol/messages.ts";
import type { PlayRequest } from "../../../thread-protocol/preview.ts";
import { linkPlace } from "../../threads/link-place.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";
import { newTransport, type TransportEnd } from "../../threads/transport-ends.ts";
import type { ChannelRoutes, Claim, ClaimElsewhere } from "./channel-routes.ts";
import type { ClusterHooks } from "./cluster-hooks.ts";

export type ThreadRequestsDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly routes: ChannelRoutes;
  readonly previewAccess: PreviewAccess;
  /** Finds the channel that this key may publish to. A rejection means that there is no reply: the encoder tries again. */
  readonly admit: (key: string, login?: ProvenLogin) => Promise<Admitted | undefined>;
  /** Finds the user who logs in with this name. A rejection means that there is no reply: the encoder tries again. */
  readonly findIngestUser: (userId: string) => Promise<IngestUser | undefined>;
  /** Completes settings by what is in force and not stored yet. */
  readonly asInForce: (spec: ChannelSpec) => ChannelSpec;
  /** Reads the spec of a channel; undefined where no encoder may publish to it. */
  readonly readSpec: (channelId: ChannelId) => Promise<ChannelSpec | undefined>;
  /** The Unix socket at which a thread of this process accepts links of other processes; undefined where it does not. */
  readonly socketOf: (worker: PoolWorker) => string | undefined;
  /** An encoder or a player came to another thread than the one that owns its channel. */
  readonly onRemoteConnection: (what: "encoder" | "player") => void;
  /** Absent: a single node. */
  readonly cluster?: ClusterHooks;
  /** What the nodes of a cluster refuse together; absent: a single node. */
  readonly sharedGuards?: SharedGuards;
};

type Reply = (reply: ControlReply, end?: TransportEnd) => void;

/** Replies to media threads' requests about the encoders and players that connect to them. */
export class ThreadRequests {
  /** Gets every change of a channel, so that no reply is older than the change. */
  readonly freshness: AdmissionFreshness;
  readonly #deps: ThreadRequestsDeps;
  readonly #spentChallenges: SpentChallenges;
  /** The places of RTMP players, by thread and by the number of the request that admitted each. */
  readonly #players = new Map<PoolWorker, Map<number, PreviewPlace>>();

  constructor(deps: ThreadRequestsDeps) {
    this.#deps = deps;
    this.freshness = new AdmissionFreshness(deps.asInForce);
    this.#spentChallenges = new SpentChallenges(deps.clock);
  }

  /** Whether a change of the channel may matter to a thread: one owns it, or an encoder may be on its way to it. */
  concerns(channelId: ChannelId): boolean {
    return this.#deps.routes.of(channelId) !== undefined || this.freshness.isLookingUp;
  }

  /** These settings of a channel are in effect from now on. */
  changed(spec: ChannelSpec): void {
    this.freshness.changed(spec);
    this.#deps.cluster?.applied(spec);
  }

  /** Replies to a request, now or later. A thread that was restarted meanwhile gets no reply: it numbers its requests anew. */
  take(worker: PoolWorker, requestId: number, request: MediaRequest): void {
    const { life } = worker;
    const reply: Reply = (content, end) => {
      if (worker.life === life) worker.post({ kind: "reply", requestId, reply: content }, end);
      else end?.close();
    };
    switch (request.kind) {
      case "admission":
        void this.#orLogged(this.#admit(worker, request, reply), "a stream key could not be looked up");
        return;
      case "login":
        void this.#orLogged(this.#findUser(request, reply), "a login could not be looked up");
        return;
      case "play":
        void this.#orLogged(this.#play(worker, requestId, request, reply), "a channel's owner could not be looked up");
        return;
      case "owner-question":
        return reply({
          kind: "owner-question",
          ...(this.#deps.cluster?.answerQuestion(request.channelId) ?? { isOnAir: false, isDraining: false }),
        });
      case "attach":
        void this.#orLogged(this.#attach(worker, request.channelId, reply), "a channel could not be looked up");
        return;
    }
  }

  /** The player that this request admitted has left. */
  playLeft(worker: PoolWorker, requestId: number): void {
    this.#players.get(worker)?.get(requestId)?.leave();
    this.#players.get(worker)?.delete(requestId);
  }

  /** The thread has ended, and with it its players. */
  gone(worker: PoolWorker): void {
    for (const place of this.#players.get(worker)?.values() ?? []) place.leave();
    this.#players.delete(worker);
  }

  async #admit(worker: PoolWorker, { key, login, channelId, silence }: AdmissionRequest, reply: Reply) {
    const { routes, admit, cluster } = this.#deps;
    const { life } = worker;
    if (channelId !== undefined) cluster?.expect(channelId, silence);
    let claim: Claim | ClaimElsewhere | undefined;
    const lookUp = async () => {
      const admitted = await admit(key, login);
      if (admitted === undefined || admitted.refusedFor !== undefined || worker.life !== life) return admitted;
      // The key may lead to another channel than it did a moment ago. Where it does not, the channel stays claimed.
      const before = claim;
      claim = await routes.claim(admitted.spec.channelId, worker, silence);
      endClaim(before);
      return admitted;
    };
    await this.freshness
      .answer(lookUp, (admitted) => {
        if (worker.life === life) this.#replyTo(worker, admitted, claim, reply);
      })
      .finally(() => endClaim(claim));
  }

  #replyTo(
    asking: PoolWorker,
    admitted: Admitted | undefined,
    claim: Claim | ClaimElsewhere | undefined,
    reply: Reply,
  ): void {
    const decide = (decision: AdmissionDecision, end?: TransportEnd) => reply({ kind: "admission", ...decision }, end);
    if (admitted === undefined) return decide({ decision: "refuse" });
    const { spec, slot, refusedFor, srtPassphrase } = admitted;
    const secret = srtPassphrase === undefined ? {} : { srtPassphrase };
    const { channelId, latency = "efficient" } = spec;
    if (refusedFor !== undefined) return decide({ decision: "refuse", refused: { refusedFor, channelId } });
    // The thread that asked is gone.
    if (claim === undefined) return decide({ decision: "refuse" });
    if (claim.kind === "try-again") return decide({ decision: "try-again" });
    if (claim.kind === "elsewhere") {
      this.#deps.log.info("remote encoder", { channelId, from: asking.name, to: claim.address });
      this.#deps.onRemoteConnection("encoder");
      const link = { place: linkPlace(claim.address), epoch: claim.epoch, revision: spec.revision };
      return decide({ decision: "admit-elsewhere", channelId, slot, latency, link, ...secret });
    }
    const { worker: owner, epoch, isTakenOver } = claim.owner;
    const path = this.#wayOf(asking, owner);
    if (path !== undefined) {
      this.#remoteConnection("encoder", channelId, asking, owner);
      // The owner's process asks with `attach`: the encoder counts then.
      const link = { place: { path }, epoch, revision: spec.revision };
      return decide({ decision: "admit-elsewhere", channelId, slot, latency, link, ...secret });
    }
    // The thread of this process accepts no links: the encoder gets no reply, and comes back.
    if (asking.linkPath !== undefined && owner !== asking) return;
    claim.admit();
    const returning = isTakenOver ? { isReturning: true } : {};
    if (owner === asking) return decide({ decision: "admit", spec, slot, ...returning, ...secret });
    const [ownersEnd, askersEnd] = newTransport();
    owner.post({ kind: "host-publisher", spec, slot }, ownersEnd);
    this.#remoteConnection("encoder", channelId, asking, owner);
    decide({ decision: "admit-elsewhere", channelId, slot, latency, ...secret }, askersEnd);
  }

  /** Another process has an encoder for a channel of this thread. */
  async #attach(worker: PoolWorker, channelId: ChannelId, reply: Reply): Promise<void> {
    const { routes, readSpec } = this.#deps;
    const { life } = worker;
    const lookUp = async () => {
      const spec = await readSpec(channelId);
      return spec === undefined ? undefined : { spec };
    };
    await this.freshness.answer(lookUp, (found) => {
      const isOwner = found !== undefined && worker.life === life && routes.admitTo(channelId, worker);
      reply({ kind: "attach", ...(isOwner ? found : {}) });
    });
  }

  async #findUser({ userId, challenge }: LoginRequest, reply: Reply): Promise<void> {
    const isFirstUse = challenge !== undefined && (await this.#spendChallenge(challenge));
    const user = await this.#deps.findIngestUser(userId);
    reply({ kind: "login", isFirstUse, ...(user === undefined ? {} : { user }) });
  }

  async #spendChallenge(challenge: string): Promise<boolean> {
    if (!this.#spentChallenges.spend(challenge)) return false;
    return (await this.#deps.sharedGuards?.useOnce("challenge", challenge, CHALLENGE_REMEMBERED_MS)) ?? true;
  }

  async #play(asking: PoolWorker, requestId: number, request: PlayRequest, reply: Reply): Promise<void> {
    const place = this.#deps.previewAccess.enter(request.token, request.channelId);
    if (place === "full") return reply({ kind: "play", decision: "full" });
    if (place === "refused") return reply({ kind: "play", decision: "refuse" });
    const { channelId } = place;
    place.onRevoked = () => asking.post({ kind: "revoke-play", requestId });
    this.#placesOf(asking).set(requestId, place);
    const owner = this.#deps.routes.of(channelId) ?? asking;
    const elsewhere = owner === asking ? await this.#deps.cluster?.findElsewhere(channelId) : undefined;
    if (elsewhere !== undefined) {
      this.#deps.onRemoteConnection("player");
      const link = { place: linkPlace(elsewhere.address), epoch: elsewhere.epoch, revision: 0 };
      return reply({ kind: "play", decision: "admit", channelId, link });
    }
    if (owner === asking) return reply({ kind: "play", decision: "admit", channelId });
    const path = this.#wayOf(asking, owner);
    if (path !== undefined) {
      this.#remoteConnection("player", channelId, asking, owner);
      const link = { place: { path }, epoch: 0, revision: 0 };
      return reply({ kind: "play", decision: "admit", channelId, link });
    }
    const [ownersEnd, askersEnd] = newTransport();
    owner.post({ kind: "host-preview", channelId }, ownersEnd);
    this.#remoteConnection("player", channelId, asking, owner);
    reply({ kind: "play", decision: "admit", channelId }, askersEnd);
  }

  /** The socket by which one thread reaches another one of another process; undefined within one process. */
  #wayOf(asking: PoolWorker, owner: PoolWorker): string | undefined {
    if (owner === asking) return undefined;
    return owner.linkPath ?? (asking.linkPath === undefined ? undefined : this.#deps.socketOf(owner));
  }

  #placesOf(worker: PoolWorker): Map<number, PreviewPlace> {
    const places = this.#players.get(worker) ?? new Map<number, PreviewPlace>();
    this.#players.set(worker, places);
    return places;
  }

  #remoteConnection(what: "encoder" | "player", channelId: ChannelId, from: PoolWorker, to: PoolWorker): void {
    this.#deps.log.info(`remote ${what}`, { channelId, from: from.name, to: to.name });
    this.#deps.onRemoteConnection(what);
  }

  async #orLogged(work: Promise<void>, event: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#deps.log.error(event, { detail: error instanceof Error ? error.message : String(error) });
    }
  }
}

function endClaim(claim: Claim | ClaimElsewhere | undefined): void {
  if (claim?.kind === "here") claim.end();
}

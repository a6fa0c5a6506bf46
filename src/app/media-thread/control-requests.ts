import type { Clock } from "../../base/clock.ts";
import type {
  AdmissionReply,
  AttachReply,
  LinkSilence,
  LoginReply,
  OwnerQuestionReply,
  ProvenLogin,
} from "../../thread-protocol/admission.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ControlReply, MediaRequest, ToControl } from "../../thread-protocol/messages.ts";
import type { PlayReply } from "../../thread-protocol/preview.ts";
import { PendingRequests } from "../threads/pending-requests.ts";
import type { TransportEnd } from "../threads/transport-ends.ts";

/**
 * An encoder or a player waits this long for the control thread's reply, in milliseconds; then the thread closes so
 * that it tries again.
 */
const REPLY_DEADLINE_MS = 5_000;

type Answer<Reply extends ControlReply> = {
  readonly requestId: number;
  /** Undefined where no reply came in time. */
  readonly reply?: Reply;
  /** The transport that came with the reply. */
  readonly end?: TransportEnd;
};

/** A media thread's requests to the control thread about the encoders and players that connect to it. */
export class ControlRequests {
  readonly #post: (message: ToControl) => void;
  readonly #pending: PendingRequests<{ readonly reply: ControlReply; readonly end?: TransportEnd }>;

  constructor(clock: Clock, post: (message: ToControl) => void) {
    this.#post = post;
    this.#pending = new PendingRequests(clock);
  }

  async admission(
    key: string,
    login: ProvenLogin | undefined,
    present: { readonly channelId: ChannelId; readonly silence?: LinkSilence | undefined } | undefined,
  ): Promise<Answer<AdmissionReply>> {
    const silence = present?.silence;
    const { reply, ...rest } = await this.#ask({
      ...{ kind: "admission", key },
      ...(login === undefined ? {} : { login }),
      ...(present === undefined ? {} : { channelId: present.channelId }),
      ...(silence === undefined ? {} : { silence }),
    });
    return reply?.kind === "admission" ? { ...rest, reply } : rest;
  }

  async login(userId: string, challenge: string | undefined): Promise<Answer<LoginReply>> {
    const request = { kind: "login", userId, ...(challenge === undefined ? {} : { challenge }) } as const;
    const { reply, ...rest } = await this.#ask(request);
    return reply?.kind === "login" ? { ...rest, reply } : rest;
  }

  async play(channelId: string, token: string): Promise<Answer<PlayReply>> {
    const { reply, ...rest } = await this.#ask({ kind: "play", channelId, token });
    return reply?.kind === "play" ? { ...rest, reply } : rest;
  }

  async ownerQuestion(channelId: ChannelId): Promise<Answer<OwnerQuestionReply>> {
    const { reply, ...rest } = await this.#ask({ kind: "owner-question", channelId });
    return reply?.kind === "owner-question" ? { ...rest, reply } : rest;
  }

  async attach(channelId: ChannelId): Promise<Answer<AttachReply>> {
    const { reply, ...rest } = await this.#ask({ kind: "attach", channelId });
    return reply?.kind === "attach" ? { ...rest, reply } : rest;
  }

  /** Takes the control thread's reply, and the transport that came with it. */
  reply(requestId: number, reply: ControlReply, end: TransportEnd | undefined): void {
    const isPending = this.#pending.reply(requestId, { reply, ...(end === undefined ? {} : { end }) });
    // Close the transport of a reply that arrived after its request timed out.
    if (!isPending) end?.close();
  }

  async #ask(request: MediaRequest): Promise<Answer<ControlReply>> {
    let requestId = 0;
    const outcome = await this.#pending.ask(REPLY_DEADLINE_MS, (id) => {
      requestId = id;
      this.#post({ kind: "request", requestId, request });
    });
    return typeof outcome === "string" ? { requestId } : { requestId, ...outcome };
  }
}

import { audioTagHeads, formatOf } from "./audio/audio-stream.ts";
import { FramedAudio } from "./audio/framed-audio.ts";
import type { TrackMessage } from "./message-order.ts";
import { type Pes, PesAssembler, type PesOptions } from "./packets/pes.ts";
import type { PidSink } from "./packets/pid-table.ts";
import type { ElementaryStream } from "./packets/program.ts";
import { DescriptorTag, type TsAudioCodec, type TsVideoCodec } from "./packets/stream-codec.ts";
import type { StreamClock } from "./stream-clock.ts";
import { NalVideo } from "./video/nal-video.ts";
import { ObuVideo } from "./video/obu-video.ts";

const VIDEO_PES: PesOptions = { bytesMax: 8 * 1_024 * 1_024, joins: true };
/** Audio has frames of its own within packets. */
const AUDIO_PES: PesOptions = { bytesMax: 256 * 1_024, joins: false };

/** Takes the data of PES packets, with unwrapped times (90 kHz). */
interface Media {
  take(bytes: Buffer, from: number, end: number, pts: number | undefined, dts: number | undefined): void;
  damaged(): void;
}

type TrackOptions = {
  readonly stream: ElementaryStream;
  readonly clock: StreamClock;
  readonly out: (message: TrackMessage) => void;
};

/** One elementary stream that is sent on: from packets of its PID to messages. */
export class TsTrack implements PidSink {
  readonly #clock: StreamClock;
  readonly #pes: PesAssembler;
  readonly #media: Media;
  /** Called for each PES packet until one has been understood. */
  #onUnread: (() => void) | undefined;

  private constructor(clock: StreamClock, pes: PesOptions, media: Media, onUnread?: () => void) {
    this.#clock = clock;
    this.#media = media;
    this.#onUnread = onUnread;
    this.#pes = new PesAssembler(pes, (each) => this.#takePes(each));
  }

  static video(codec: TsVideoCodec, { stream, clock, out }: TrackOptions): TsTrack {
    const send = (isConfig: boolean) => (payload: Buffer, time: number) =>
      out({ track: stream.pid, kind: "video", isConfig, time, payload });
    const track = { config: send(true), frame: send(false) };
    const media =
      codec === "av1" ? new ObuVideo(stream.descriptors.get(DescriptorTag.Av1), track) : new NalVideo(codec, track);
    return new TsTrack(clock, VIDEO_PES, media);
  }

  /** `onUnread`: called for each PES packet until a frame is found: MPEG audio may be of a layer that RTMP has no form for. */
  static audio(
    codec: TsAudioCodec,
    trackId: number,
    { stream, clock, out }: TrackOptions,
    onUnread: () => void,
  ): TsTrack {
    const heads = audioTagHeads(codec, trackId);
    const send = (isConfig: boolean, time: number, payload: Buffer) => {
      track.#onUnread = undefined;
      out({ track: stream.pid, kind: "audio", isConfig, time, payload });
    };
    const media = new FramedAudio(formatOf(codec, stream.descriptors), {
      config: (body, time) => send(true, time, Buffer.concat([heads.config, body])),
      frame: (bytes, from, end, time) => {
        const head = heads.frame;
        const payload = Buffer.allocUnsafe(head.length + end - from);
        head.copy(payload);
        bytes.copy(payload, head.length, from, end);
        send(false, time, payload);
      },
    });
    const track: TsTrack = new TsTrack(clock, AUDIO_PES, media, onUnread);
    return track;
  }

  /** PES packets that were not whole, or too long, or unreadable. */
  get droppedPes(): number {
    return this.#pes.dropped;
  }

  take(packet: Buffer, from: number, end: number, isStart: boolean): void {
    this.#pes.take(packet, from, end, isStart);
  }

  isRepeat(packet: Buffer, from: number, end: number): boolean {
    return this.#pes.isRepeat(packet, from, end);
  }

  damaged(): void {
    this.#pes.abandon();
    this.#media.damaged();
  }

  /** The stream ends: what is kept is sent. */
  end(): void {
    this.#pes.end();
  }

  #takePes({ bytes, from, end, pts, dts }: Pes): void {
    const clock = this.#clock;
    const decoded = dts === undefined ? undefined : clock.unwrap(dts);
    this.#media.take(bytes, from, end, pts === undefined ? undefined : clock.unwrap(pts), decoded);
    this.#onUnread?.();
  }
}

import { synthesiseMetadata } from "../flv/metadata.ts";
import { audioStartTag } from "./audio/audio-stream.ts";
import { MessageOrder, type TrackMessage, type TsMessage } from "./message-order.ts";
import { PacketReader } from "./packets/packet-reader.ts";
import { type PacketCounts, type PidSink, PidTable } from "./packets/pid-table.ts";
import { type ElementaryStream, readPat, readPmt, TableId } from "./packets/program.ts";
import { Sections } from "./packets/sections.ts";
import {
  codecOf,
  formOf,
  isAudioCodec,
  isVideoCodec,
  type StreamCodec,
  type TsVideoCodec,
} from "./packets/stream-codec.ts";
import { StreamClock, timestampOf } from "./stream-clock.ts";
import { TsTrack } from "./ts-track.ts";

const PAT_PID = 0;
/** PIDs below are of the system's own tables; 0x1fff is of packets without content. */
const PID_MIN = 0x10;
const PID_MAX = 0x1ffe;
const NOTHING: readonly TsMessage[] = [];
/** Tags of formats that FLV does not have: the relay passes them over, counts them, and says that they cannot be read. */
const UNREADABLE = { audio: Buffer.from("f000000000000000", "hex"), video: Buffer.from("1f00000000000000", "hex") };

/**
 * How far a stream has come. `no-sync`: no transport stream so far. `no-program`: no table of its tracks. `no-media`:
 * no frame that can be sent on. `scrambled`: the same, where packets of its tracks are encrypted. `media`: frames have been sent on.
 */
export type DemuxProgress = "no-sync" | "no-program" | "no-media" | "scrambled" | "media";

/** What was wrong with the stream, counted from its start. */
export type DemuxCounts = Readonly<PacketCounts> & { readonly syncLosses: number; readonly droppedPes: number };

/** A track in use. `trackId` counts those of its kind. */
type Track = {
  readonly kind: "audio" | "video";
  readonly trackId: number;
  /** See `formOf`. */
  readonly form: string;
  readonly track: TsTrack;
  /** Names the codec of audio where the stream has no configuration. */
  readonly startTag?: Buffer;
  readonly videoCodec?: TsVideoCodec;
};

/** `isNamed`: its table had its own number. */
type Program = { readonly pmtPid: number; streams: readonly ElementaryStream[]; isNamed: boolean };

/**
 * Turns a transport stream (ISO/IEC 13818-1) into the messages that the same encoder would send over RTMP: metadata,
 * sequence headers, frames in the order of their decoding times. The program with the lowest number that has video is
 * taken, of it one video track and all audio tracks. Video or audio that RTMP cannot carry becomes messages without content.
 *
 * Metadata names video as soon as the program lists it: a receiver that joins between two keyframes gets audio for seconds
 * before the first sequence header.
 *
 * Never throws: what cannot be read is left out and counted. Keeps a frame of each track and a second of the stream.
 */
export class TsDemuxer {
  readonly #reader = new PacketReader(
    (bytes, at) => this.#pids.take(bytes, at),
    () => this.#pids.damaged(),
  );
  readonly #pids = new PidTable();
  readonly #clock = new StreamClock();
  readonly #order = new MessageOrder((message) => this.#send(message));
  readonly #programs = new Map<number, Program>();
  readonly #tracks = new Map<number, Track>();
  /** PIDs of what RTMP cannot carry. */
  readonly #unreadable = new Set<number>();
  #configs: Readonly<Record<"audio" | "video", Buffer | undefined>> = { audio: undefined, video: undefined };
  #metadata: Buffer | undefined;
  #isMetadataOld = false;
  /** What the last metadata said of video. `announced`: its codec, before its sequence header came. */
  #videoSaid: "nothing" | "announced" | "described" = "nothing";
  #hasMedia = false;
  #lastTimestamp = 0;
  /** PES packets dropped by tracks that are gone. */
  #droppedBefore = 0;
  #out: TsMessage[] = [];

  constructor() {
    this.#pids.set(
      PAT_PID,
      tableSink(TableId.Pat, (section) => this.#takePat(section)),
    );
  }

  get progress(): DemuxProgress {
    if (this.#hasMedia) return "media";
    const { scrambled } = this.#pids.counts;
    for (const { streams } of this.#programs.values())
      if (streams.length > 0) return scrambled > 0 ? "scrambled" : "no-media";
    return this.#reader.hasFound ? "no-program" : "no-sync";
  }

  get counts(): DemuxCounts {
    let droppedPes = this.#droppedBefore;
    for (const { track } of this.#tracks.values()) droppedPes += track.droppedPes;
    return { ...this.#pids.counts, syncLosses: this.#reader.syncLosses, droppedPes };
  }

  /** Takes bytes, cut anywhere; returns the messages that are complete. Their memory is the caller's. */
  push(bytes: Buffer): readonly TsMessage[] {
    this.#reader.push(bytes);
    return this.#takeOut();
  }

  /** Bytes are missing here: frames that are not complete are left out. */
  gap(): void {
    this.#reader.gap();
    this.#pids.damaged();
  }

  /** The stream ends: returns what was waiting. */
  end(): readonly TsMessage[] {
    for (const { track } of this.#tracks.values()) track.end();
    this.#order.drain();
    return this.#takeOut();
  }

  #takeOut(): readonly TsMessage[] {
    if (this.#out.length === 0) return NOTHING;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #takePat(section: Buffer): void {
    const entries = readPat(section).filter(({ pmtPid }) => pmtPid >= PID_MIN && pmtPid <= PID_MAX);
    for (const [number, { pmtPid }] of this.#programs) {
      if (entries.some((entry) => entry.program === number && entry.pmtPid === pmtPid)) continue;
      this.#programs.delete(number);
      if (!this.#isTablePid(pmtPid)) this.#pids.remove(pmtPid);
    }
    for (const { program, pmtPid } of entries) {
      const isShared = this.#isTablePid(pmtPid);
      if (this.#programs.has(program) || (this.#pids.has(pmtPid) && !isShared)) continue;
      this.#programs.set(program, { pmtPid, streams: [], isNamed: false });
      if (isShared) continue;
      this.#pids.set(
        pmtPid,
        tableSink(TableId.Pmt, (pmt) => this.#takePmt(program, pmt)),
      );
    }
    this.#chooseTracks();
  }

  #isTablePid(pid: number): boolean {
    return [...this.#programs.values()].some(({ pmtPid }) => pmtPid === pid);
  }

  /**
   * Several programs may share a PID: a PMT names its own. One with a number that the PAT does not have counts for the
   * program of its PID, unless that has its own.
   */
  #takePmt(owner: number, section: Buffer): void {
    const named = this.#programs.get(section.readUInt16BE(3));
    const known = named ?? this.#programs.get(owner);
    if (known === undefined || (named === undefined && known.isNamed)) return;
    known.isNamed = named !== undefined;
    known.streams = readPmt(section);
    this.#chooseTracks();
  }

  #chooseTracks(): void {
    const streams = chosenStreams([...this.#programs].sort(([a], [b]) => a - b).map(([, program]) => program.streams));
    const video = streams.find((stream) => isVideoCodec(codecOf(stream)));
    const wanted = streams.filter((stream) => stream === video || isAudioCodec(codecOf(stream)));
    for (const [pid, { track, form, kind, trackId }] of this.#tracks) {
      if (wanted.some((stream) => stream.pid === pid && formOf(stream) === form)) continue;
      track.end();
      this.#droppedBefore += track.droppedPes;
      this.#tracks.delete(pid);
      this.#pids.remove(pid);
      if (trackId === 0) this.#configs = { ...this.#configs, [kind]: undefined };
    }
    this.#chooseUnreadable(streams, wanted);
    for (const stream of wanted) if (!this.#pids.has(stream.pid)) this.#begin(stream);
    // Video that was described and is gone may come back: it is not taken back.
    if (this.#videoSaid === (this.#listedVideo === undefined ? "announced" : "nothing")) this.#isMetadataOld = true;
    this.#order.setTracks([...this.#tracks.keys()]);
  }

  /** The codec of the video track, once the program lists one. */
  get #listedVideo(): TsVideoCodec | undefined {
    for (const { videoCodec } of this.#tracks.values()) if (videoCodec !== undefined) return videoCodec;
    return undefined;
  }

  #begin(stream: ElementaryStream): void {
    if (stream.pid < PID_MIN || stream.pid > PID_MAX) return;
    const codec = codecOf(stream);
    const form = formOf(stream);
    const options = { stream, clock: this.#clock, out: (message: TrackMessage) => this.#take(message) };
    if (isVideoCodec(codec)) {
      this.#add(stream.pid, {
        ...{ kind: "video", trackId: 0, form, track: TsTrack.video(codec, options) },
        videoCodec: codec,
      });
    } else if (isAudioCodec(codec)) {
      const trackId = this.#freeTrackId();
      const track = TsTrack.audio(codec, trackId, options, () => this.#sendUnreadable("audio"));
      this.#add(stream.pid, {
        ...{ kind: "audio", trackId, form, track },
        startTag: audioStartTag(codec),
      });
    }
  }

  #add(pid: number, track: Track): void {
    this.#tracks.set(pid, track);
    this.#pids.set(pid, track.track);
  }

  /** A track keeps its id while others come and go. */
  #freeTrackId(): number {
    const taken = new Set(
      [...this.#tracks.values()].filter(({ kind }) => kind === "audio").map((each) => each.trackId),
    );
    let trackId = 0;
    while (taken.has(trackId)) trackId += 1;
    return trackId;
  }

  /** Watches what RTMP cannot carry, where the program has nothing else of that kind. */
  #chooseUnreadable(streams: readonly ElementaryStream[], wanted: readonly ElementaryStream[]): void {
    for (const pid of this.#unreadable) this.#pids.remove(pid);
    this.#unreadable.clear();
    for (const [kind, codec, is] of [
      ["audio", "unsupported-audio", isAudioCodec],
      ["video", "unsupported-video", isVideoCodec],
    ] as const) {
      const stream = streams.find((each) => codecOf(each) === codec);
      if (stream === undefined || this.#pids.has(stream.pid) || wanted.some((each) => is(codecOf(each)))) continue;
      if (stream.pid < PID_MIN || stream.pid > PID_MAX) continue;
      this.#unreadable.add(stream.pid);
      this.#pids.set(stream.pid, {
        take: (_packet, _from, _end, isStart) => (isStart ? this.#sendUnreadable(kind) : undefined),
        isRepeat: () => true,
        damaged: () => undefined,
      });
    }
  }

  #sendUnreadable(kind: "audio" | "video"): void {
    this.#out.push({ kind, timestamp: this.#lastTimestamp, payload: UNREADABLE[kind] });
  }

  /** Notes what metadata needs as soon as it is known: messages may wait for each other. */
  #take(message: TrackMessage): void {
    const { track, kind, isConfig, payload } = message;
    const { trackId, startTag } = this.#tracks.get(track) ?? {};
    if (trackId === 0) {
      if (isConfig) this.#describe(kind, payload);
      else if (startTag !== undefined && this.#configs[kind] === undefined) this.#describe(kind, startTag);
    }
    this.#order.add(message);
  }

  #describe(kind: "audio" | "video", config: Buffer): void {
    this.#configs = { ...this.#configs, [kind]: config };
    this.#isMetadataOld = true;
  }

  #send({ kind, isConfig, time, payload }: TrackMessage): void {
    const timestamp = timestampOf(time);
    if (this.#isMetadataOld) this.#sendMetadata(timestamp);
    this.#lastTimestamp = timestamp;
    if (!isConfig) this.#hasMedia = true;
    this.#out.push({ kind, timestamp, payload });
  }

  #sendMetadata(timestamp: number): void {
    const { video, audio } = this.#configs;
    const videoCodec = this.#listedVideo;
    this.#isMetadataOld = false;
    this.#videoSaid = video !== undefined ? "described" : videoCodec === undefined ? "nothing" : "announced";
    const payload = synthesiseMetadata({
      ...(video === undefined ? {} : { videoConfig: video }),
      ...(videoCodec === undefined ? {} : { videoCodec }),
      ...(audio === undefined ? {} : { audioConfig: audio }),
    });
    if (this.#metadata?.equals(payload) === true) return;
    this.#metadata = payload;
    this.#out.push({ kind: "data", timestamp, payload });
  }
}

/** The program with the lowest number that has video, else audio. */
function chosenStreams(programs: readonly (readonly ElementaryStream[])[]): readonly ElementaryStream[] {
  const has = (is: (codec: StreamCodec) => boolean) =>
    programs.find((streams) => streams.some((stream) => is(codecOf(stream))));
  return has(isVideoCodec) ?? has(isAudioCodec) ?? programs[0] ?? [];
}

/** A sink for the sections of a table. */
function tableSink(tableId: number, onSection: (section: Buffer) => void): PidSink {
  const sections = new Sections(tableId, onSection);
  return {
    take: (packet, from, end, isStart) => sections.take(packet, from, end, isStart),
    isRepeat: () => true,
    damaged: () => sections.abandon(),
  };
}

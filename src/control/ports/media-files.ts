/**
 * What a file holds, as FFmpeg sees it. Codecs by FFmpeg's names, sizes in pixels as the video is shown, rates in Hz and
 * frames a second.
 */
export type MediaFormat = {
  readonly kind: "video" | "picture";
  /** Absent where the file does not say it. */
  readonly durationMs?: number;
  readonly videoCodec: string;
  /** `yuv420p` is what every player decodes. */
  readonly pixelFormat: string;
  readonly width: number;
  readonly height: number;
  /**
   * Its coded frames cannot be sent as they are: players turn, stretch or hide some of them, the container does not say when they
   * are shown, or few decoders take their profile.
   */
  readonly isTranscoded?: true;
  /** Its frames are two fields of half the lines each, of different moments. */
  readonly isInterlaced?: true;
  /** Its range of brightness is high, by this curve; absent: it is that of SDR. */
  readonly hdr?: "PQ" | "HLG";
  /** This server's FFmpeg cannot bring the colours of HDR to SDR: they look pale. */
  readonly isPale?: true;
  readonly frameRate?: number;
  /** Absent, like the next two: no audio. */
  readonly audioCodec?: string;
  /** Which of its audio streams that is; absent: the first. */
  readonly audioIndex?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
  /**
   * Its audio cannot be sent as it is: it may change within the file, is of a profile that changes of files disturb, or players
   * hide its beginning.
   */
  readonly isAudioTranscoded?: true;
};

/** `uploading`: bytes are missing. `checking`: FFmpeg reads it. `refused`: it cannot be played, `reason` says why. */
export const MEDIA_FILE_STATES = ["uploading", "checking", "ready", "refused"] as const;
type MediaFileState = (typeof MEDIA_FILE_STATES)[number];

/** A file that people put on this server, to be played or shown as a slate. */
export type MediaFile = {
  readonly fileId: string;
  readonly name: string;
  /** Its whole length. */
  readonly bytes: number;
  /** How much of it is here. */
  readonly receivedBytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly createdTime: number;
  readonly state: MediaFileState;
  readonly reason?: string;
  /** While it is uploaded: what the client that began it knows the file by. */
  readonly fingerprint?: string;
  readonly format?: MediaFormat;
  /** Of a file that lies in the watched folder, and not in the library's own: which content was complete. */
  readonly contentKey?: string;
};

export type MediaSpace = { readonly usedBytes: number; readonly quotaBytes: number };

/** The library of files. Calls on one file throw DomainError `media-file-not-found`. */
export interface MediaFiles {
  /** Whether this server can read media: FFmpeg is there. */
  readonly isAvailable: boolean;
  readonly space: MediaSpace;
  /** Newest first. */
  list(): readonly MediaFile[];
  get(fileId: string): MediaFile;
  /**
   * Makes an empty file of this length to come. Throws DomainError `ffmpeg-missing`, `media-quota` or `media-disk-full`.
   */
  create(name: string, bytes: number, fingerprint?: string): Promise<MediaFile>;
  /** Appends bytes. Throws DomainError `media-offset` where they do not begin at the file's end so far. */
  append(fileId: string, fromByte: number, bytes: Buffer): Promise<MediaFile>;
  /** Throws DomainError `media-file-watched` for one of the watched folder: its files are never deleted here. */
  remove(fileId: string): Promise<MediaFile>;
  /** One frame of it as JPEG; undefined where there is none. */
  frame(fileId: string): Promise<Buffer | undefined>;
  /** What was made of the file and kept beside it under this name. */
  kept(fileId: string, name: string): Promise<Buffer | undefined>;
  /** Keeps something beside the file, as long as the file is there. Does nothing where too much is kept. */
  keep(fileId: string, name: string, bytes: Buffer): Promise<void>;
  /** Where its bytes are. */
  path(fileId: string): string;
  /**
   * Why its bytes cannot be read now, as part of a sentence; undefined where they can. Answers within ten seconds, also where
   * their disk does not.
   */
  problem(fileId: string): Promise<string | undefined>;
}

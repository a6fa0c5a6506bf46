import type { EncodedKeyframe } from "./keyframe-file.ts";
import { keyframeMp4 } from "./keyframe-mp4.ts";

/** How long a video element may take for one frame, in milliseconds. */
const DEADLINE_MS = 5_000;

const typeOf = ({ decoder }: EncodedKeyframe): string => `video/mp4; codecs="${decoder?.codec ?? ""}"`;

/** Whether this browser plays such a keyframe in a video element. */
export const isPlayable = (keyframe: EncodedKeyframe): boolean =>
  keyframe.mp4 !== undefined && "MediaSource" in globalThis && MediaSource.isTypeSupported(typeOf(keyframe));

/** Decodes a keyframe by a video element that is not on the page, for browsers without a `VideoDecoder`. Rejects on damaged data. */
export async function withVideoFrame(
  keyframe: EncodedKeyframe,
  draw: (video: HTMLVideoElement) => void,
): Promise<void> {
  if (keyframe.mp4 === undefined) throw new Error("no form for a video element");
  const media = new MediaSource();
  const video = document.createElement("video");
  const url = URL.createObjectURL(media);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const happens = (target: EventTarget, name: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      target.addEventListener(name, resolve, { once: true });
      for (const [from, failure] of [
        [video, "error"],
        [deadline, "abort"],
      ] as const)
        from.addEventListener(failure, () => reject(new Error(`the video has no frame: ${failure}`)), { once: true });
    });
  try {
    video.muted = true;
    const opened = happens(media, "sourceopen");
    video.src = url;
    await opened;
    const buffer = media.addSourceBuffer(typeOf(keyframe));
    const loaded = happens(video, "loadeddata");
    const appended = happens(buffer, "updateend");
    buffer.appendBuffer(keyframeMp4(keyframe.mp4));
    await appended;
    if (media.readyState === "open") media.endOfStream();
    await loaded;
    draw(video);
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

import { isPlayable, withVideoFrame } from "./draw-with-video.ts";
import { type EncodedKeyframe, readKeyframe } from "./keyframe-file.ts";

/** `undecodable`: this browser does not decode the codec. */
export type Drawn = { readonly kind: "drawn" } | { readonly kind: "undecodable"; readonly codec: string };

/**
 * Decodes a keyframe as the server answers it and draws it into the canvas, as wide as that is: by a `VideoDecoder`, which browsers
 * have in secure contexts only, else by a video element. Rejects on damaged data.
 */
export async function drawKeyframe(file: Uint8Array, canvas: HTMLCanvasElement): Promise<Drawn> {
  const keyframe = readKeyframe(file);
  const { decoder, name } = keyframe;
  if (decoder !== undefined && "VideoDecoder" in globalThis && (await isSupported(decoder))) {
    const frame = await decoded(keyframe, decoder);
    draw(canvas, frame, frame.displayWidth, frame.displayHeight);
    frame.close();
  } else if (isPlayable(keyframe)) {
    await withVideoFrame(keyframe, (video) => draw(canvas, video, video.videoWidth, video.videoHeight));
  } else {
    return { kind: "undecodable", codec: name };
  }
  return { kind: "drawn" };
}

function draw(canvas: HTMLCanvasElement, image: CanvasImageSource, width: number, height: number): void {
  canvas.height = Math.round((canvas.width * height) / width);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
}

/** By codec string: most channels have the same few, and asking the browser takes a message to another process. */
const supported = new Map<string, boolean>();
const SUPPORTED_MAX = 50;

async function isSupported(decoder: VideoDecoderConfig): Promise<boolean> {
  const known = supported.get(decoder.codec);
  if (known !== undefined) return known;
  const answer = (await VideoDecoder.isConfigSupported(decoder).catch(() => undefined))?.supported === true;
  if (supported.size >= SUPPORTED_MAX) supported.clear();
  supported.set(decoder.codec, answer);
  return answer;
}

function decoded({ data }: EncodedKeyframe, config: VideoDecoderConfig): Promise<VideoFrame> {
  return new Promise((resolve, reject) => {
    let isFound = false;
    const decoder = new VideoDecoder({
      output: (frame) => {
        if (isFound) frame.close();
        isFound = true;
        resolve(frame);
      },
      error: reject,
    });
    decoder.configure(config);
    decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: 0, data }));
    decoder.flush().then(() => {
      decoder.close();
      reject(new Error("the decoder gave no frame"));
    }, reject);
  });
}

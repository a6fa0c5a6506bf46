import { type EncodedKeyframe, readKeyframe } from "./keyframe-file.ts";

/** `insecure`: browsers decode in secure contexts only. `undecodable`: this one does not decode the codec. */
export type Drawn = { readonly kind: "drawn" | "insecure" } | { readonly kind: "undecodable"; readonly codec: string };

/** Decodes a keyframe as the server answers it and draws it into the canvas, as wide as that is. Rejects on damaged data. */
export async function drawKeyframe(file: Uint8Array, canvas: HTMLCanvasElement): Promise<Drawn> {
  if (!("VideoDecoder" in globalThis)) return { kind: "insecure" };
  const keyframe = readKeyframe(file);
  const { decoder, name } = keyframe;
  const isKnown = decoder !== undefined && (await isSupported(decoder));
  if (!isKnown) return { kind: "undecodable", codec: name };
  const frame = await decoded(keyframe, decoder);
  canvas.height = Math.round((canvas.width * frame.displayHeight) / frame.displayWidth);
  canvas.getContext("2d")?.drawImage(frame, 0, 0, canvas.width, canvas.height);
  frame.close();
  return { kind: "drawn" };
}

async function isSupported(decoder: VideoDecoderConfig): Promise<boolean> {
  return (await VideoDecoder.isConfigSupported(decoder).catch(() => undefined))?.supported === true;
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

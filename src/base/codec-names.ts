/** Codec names as people write them, by the API's words. */
const CODEC_NAMES: Readonly<Record<string, string>> = {
  avc: "H.264",
  hevc: "HEVC",
  vvc: "VVC",
  av1: "AV1",
  vp9: "VP9",
  vp8: "VP8",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  flac: "FLAC",
  ac3: "AC-3",
  eac3: "E-AC-3",
  h263: "Sorenson H.263",
  vp6: "VP6",
  screen: "Screen Video",
  g711: "G.711",
  speex: "Speex",
  nellymoser: "Nellymoser",
  adpcm: "ADPCM",
  pcm: "PCM",
};

/** A codec's name as people write it; an unknown codec stays as it is. */
export function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? codec;
}

/**
 * The file with which a thread of that kind starts. Builds rewrite the endings of imports but not of URLs: the file ends
 * like this one. A bundle keeps this file, or what contains it, in a folder of `app/`.
 */
export function threadEntry(kind: "media-thread" | "recording-thread" | "delay-thread"): URL {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = `../${kind}/${kind}.${ending}`;
  return new URL(file, import.meta.url);
}

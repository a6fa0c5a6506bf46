import { once } from "node:events";
import { connect } from "node:net";
import type { Stage } from "../stages/stage.ts";

/** A preview over HTTP that connects and never reads on, for as long as the stage lasts; false where it was refused. */
export async function stalledPreview(stage: Stage, url: string): Promise<boolean> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  stage.onClose(async () => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  const [head] = (await once(socket, "data")) as [Buffer];
  socket.pause();
  const hasPlace = head.toString("latin1").startsWith("HTTP/1.1 200");
  if (!hasPlace) socket.destroy();
  return hasPlace;
}

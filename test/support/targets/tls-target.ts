import { once } from "node:events";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { certificate } from "../stages/certificates.ts";

/** TLS in front of a target on this machine. */
export type TlsFront = { readonly url: string; readonly ca: string; close(): Promise<void> };

export async function tlsInFrontOf(port: number): Promise<TlsFront> {
  const pair = certificate("127.0.0.1");
  const server = createServer(pair, (secured) => {
    const target = connect(port, "127.0.0.1");
    for (const socket of [secured, target]) socket.on("error", () => undefined);
    secured.pipe(target).pipe(secured);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return {
    url: `rtmps://127.0.0.1:${address.port}/live`,
    ca: pair.cert,
    close: async () => {
      server.close();
    },
  };
}

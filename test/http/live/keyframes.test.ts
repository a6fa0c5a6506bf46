import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Keyframes } from "../../../src/http/live/keyframes.ts";

/** More than are read at a time. */
const CLIENTS = 20;

test("clients that leave while their requests are checked keep no place: later ones read their keyframes", async () => {
  const keyframes = new Keyframes({ keyframe: async () => ({ found: "unchanged" }) });
  const channelId = "ls-20261130120000-abcde";
  let onResponse: (response: ServerResponse) => void = () => undefined;
  const server = createServer((_request, response) => onResponse(response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const asked = async () => {
    const came = Promise.withResolvers<ServerResponse>();
    onResponse = came.resolve;
    const client = request({ port, host: "127.0.0.1" });
    client.on("error", () => undefined);
    client.end();
    return { client, response: await came.promise };
  };
  for (let count = 0; count < CLIENTS; count += 1) {
    const { client, response } = await asked();
    const closed = once(response, "close");
    client.destroy();
    await closed;
    expect(await keyframes.read(channelId, undefined, response)).toBeUndefined();
  }
  const { response } = await asked();
  expect(await keyframes.read(channelId, 1, response)).toBeUndefined();
});

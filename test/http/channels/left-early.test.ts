import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test, vi } from "vitest";
import type { PreviewPlace } from "../../../src/control/access/preview-access.ts";
import { Previews } from "../../../src/http/live/previews.ts";
import { Api } from "../api.ts";

test("a reader that left while its request was checked holds no place", async () => {
  const api = await Api.open();
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = api.server.server.address() as AddressInfo;
  const { channelId } = await api.create();
  const findChannel = api.store.findChannel.bind(api.store);
  const mayGoOn = Promise.withResolvers<void>();
  const lookUp = vi.spyOn(api.store, "findChannel").mockImplementation(async (id) => {
    await mayGoOn.promise;
    return findChannel(id);
  });
  const opened = vi.spyOn(api.live, "open");
  const came = once(api.server.server, "connection");
  const path = `/api/v2/re-stream/events/stream?channelId=${channelId}`;
  const lines = Object.entries(api.signedHeaders("GET", path)).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  const [ours] = await came;
  await expect.poll(() => lookUp.mock.calls.length).toBeGreaterThan(0);
  const left = once(ours, "close");
  socket.destroy();
  await left;
  mayGoOn.resolve();
  await expect.poll(() => opened.mock.calls.length).toBeGreaterThan(0);
  expect(api.live.readerCount).toBe(0);
  await api.close();
});

test("a viewer that left before its preview began releases its place and watches nothing", async () => {
  const given = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => given.resolve(response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = request({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  asked.on("error", () => undefined);
  asked.end();
  const response = await given.promise;
  const left = once(response, "close");
  asked.destroy();
  await left;
  const leave = vi.fn<() => void>();
  const watch = vi.fn<ConstructorParameters<typeof Previews>[0]["watch"]>();
  const place: PreviewPlace = { channelId: "ls-1", onRevoked: () => undefined, leave };
  expect(await new Previews({ watch }).serve(place, response, {})).toBe(true);
  expect([leave.mock.calls.length, watch.mock.calls.length]).toEqual([1, 0]);
  server.close();
});

import { expect, test } from "vitest";
import { NatsError, readNatsAddress } from "../../src/cluster/nats-address.ts";

test("one server, several, a login, TLS", () => {
  expect(readNatsAddress("nats://a")).toEqual({ servers: ["a:4222"], isTls: false });
  expect(readNatsAddress("nats://a:1, nats://[::1]:2/")).toEqual({ servers: ["a:1", "[::1]:2"], isTls: false });
  expect(readNatsAddress("tls://u:p%40@a,tls://u:p%40@b")).toEqual({
    ...{ servers: ["a:4222", "b:4222"], user: "u", password: "p@", isTls: true },
  });
});

test.each(["", "nats://", "http://a", "nats://a/path", "nats://a?x=1", "nats://a,", "a:4222"])(
  "%j is refused with the form that is right",
  (text) => {
    expect(() => readNatsAddress(text)).toThrow(NatsError);
    expect(() => readNatsAddress(text)).toThrow(/is not like nats:\/\/host:4222/);
  },
);

test("different logins are refused, and the sentence holds none of them", () => {
  expect(() => readNatsAddress("nats://u:secret@a,nats://u:other@b")).toThrow(/^(?!.*(secret|other))/);
  expect(() => readNatsAddress("nats://u:secret@a,nats://b")).toThrow(/different logins/);
  expect(() => readNatsAddress(`nats://a${",nats://a".repeat(16)}`)).toThrow(/17 servers: at most 16/);
});

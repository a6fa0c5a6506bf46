import { expect, test } from "vitest";
import { addressesOf } from "../../../src/app/config/addresses.ts";
import { readConfig } from "../../../src/app/config/config.ts";

function addresses(environment: Readonly<Record<string, string>>, rtmpsPort?: number) {
  const read = readConfig([], { FANFARE_PUBLIC_HOST: "live.example.com", ...environment });
  if ("show" in read) throw new Error("no configuration");
  return addressesOf(read.config, 8_080, 1_935, { rtmpsPort, srtPort: 8_890 });
}

test.each([
  { name: "no TLS", environment: {}, rtmpsPort: undefined, secure: undefined },
  { name: "TLS", environment: {}, rtmpsPort: 1_936, secure: "rtmps://live.example.com:1936/relay" },
  {
    name: "an IPv6 host",
    environment: { FANFARE_PUBLIC_HOST: "2001:db8::1" },
    rtmpsPort: 1_936,
    secure: "rtmps://[2001:db8::1]:1936/relay",
  },
  {
    name: "a mapped port",
    environment: { FANFARE_SECURE_PUBLISH_URL: "rtmps://live.example.com/relay" },
    rtmpsPort: 1_936,
    secure: "rtmps://live.example.com/relay",
  },
  {
    name: "TLS done by a proxy",
    environment: { FANFARE_SECURE_PUBLISH_URL: "rtmps://live.example.com/relay" },
    rtmpsPort: undefined,
    secure: "rtmps://live.example.com/relay",
  },
])("encoders reach this server over TLS: $name", ({ environment, rtmpsPort, secure }) => {
  expect(addresses(environment, rtmpsPort).securePublishUrl).toBe(secure);
});

test("encoders reach this server over SRT", () => {
  expect(addresses({}).srtUrl).toBe("srt://live.example.com:8890");
  expect(addresses({ FANFARE_SRT_URL: "srt://mapped.example.com:9000" }).srtUrl).toBe("srt://mapped.example.com:9000");
});

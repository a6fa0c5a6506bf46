import { expect, test } from "vitest";
import { shownKey } from "../../src/ingest/rtmp/shown-key.ts";

test.each([
  ["unchanged", "relay", "k1", []],
  ["with a query", "relay", "k1?a=b/c", []],
  ["as the last segment of the application", "relay/k1", "", []],
  ["as a whole address", "relay", "rtmp://server/relay/k1", ["address"]],
  ["as a whole address with a query", "relay", "rtmps://server:443/relay/k1?x=1", ["address"]],
  ["as a whole address, percent-encoded", "relay", "rtmp%3A%2F%2Fserver%2Frelay%2Fk1", ["address"]],
  ["after the application's name", "relay", "relay/k1", ["address"]],
  ["after the application's name, percent-encoded", "relay", "relay%2Fk1", ["slashes", "address"]],
  ["with percent-encoded slashes around", "relay", "%2Fk1%2f", ["slashes"]],
  ["with a prefix", "relay", "mp4:k1", ["prefix"]],
  ["with a prefix after a slash", "relay", "/flv:k1", ["slashes", "prefix"]],
  ["with a no-break space", "relay", "\u00a0k1\u00a0", ["invisible"]],
  ["with invisible characters", "relay", "\ufeffk\u200b1\u200e", ["invisible"]],
  ["in an application with percent-encoded slashes", "relay%2Fk1", "", ["slashes"]],
  ["in an application with invisible characters", "relay/\u200bk1\u00a0", "", ["invisible"]],
  ["in an application beside an empty slash", "relay/", "k1", []],
  ["in front of the default instance", "relay", "k1/_definst_", []],
])("a key pasted %s is accepted, and what was removed is reported", (_, app, name, removed) => {
  expect(shownKey(app, name)).toEqual({ key: "k1", removed });
});

test.each([
  ["relay", "rtmp://server/relay"],
  ["", ""],
  ["\u200b", "\u00a0"],
])("%j and %j contain none of our keys", (app, name) => {
  expect(shownKey(app, name).key).not.toBe("k1");
});

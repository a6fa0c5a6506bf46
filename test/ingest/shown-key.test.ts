import { expect, test } from "vitest";
import { shownKey } from "../../src/ingest/shown-key.ts";

test.each([
  ["as it is", "relay", "k1"],
  ["with a query", "relay", "k1?a=b/c"],
  ["as the last segment of the application", "relay/k1", ""],
  ["as a whole address", "relay", "rtmp://server/relay/k1"],
  ["as a whole address with a query", "relay", "rtmps://server:443/relay/k1?x=1"],
  ["as a whole address, percent-encoded", "relay", "rtmp%3A%2F%2Fserver%2Frelay%2Fk1"],
  ["behind the application's name", "relay", "relay/k1"],
  ["behind the application's name, percent-encoded", "relay", "relay%2Fk1"],
  ["with percent-encoded slashes around", "relay", "%2Fk1%2f"],
  ["with a prefix", "relay", "mp4:k1"],
  ["with a prefix behind a slash", "relay", "/flv:k1"],
  ["with a no-break space", "relay", "\u00a0k1\u00a0"],
  ["with what nobody sees", "relay", "\ufeffk\u200b1\u200e"],
  ["in an application with percent-encoded slashes", "relay%2Fk1", ""],
  ["in an application with what nobody sees", "relay/\u200bk1\u00a0", ""],
  ["in front of the default instance", "relay", "k1/_definst_"],
])("a key pasted %s is understood", (_, app, name) => {
  expect(shownKey(app, name)).toBe("k1");
});

test.each([
  ["relay", "rtmp://server/relay"],
  ["", ""],
  ["\u200b", "\u00a0"],
])("%j and %j have no key that is one of ours", (app, name) => {
  expect(shownKey(app, name)).not.toBe("k1");
});

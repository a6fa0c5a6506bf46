import { expect, test } from "vitest";
import { readStreamId } from "../../../src/protocol/srt/stream-id.ts";

const read = (text: string) => readStreamId(Buffer.from(text));

test.each([
  ["#!::r=live/KEY,m=publish,u=user,s=secret,h=host,t=stream", "user", "secret"],
  ["#!::u=admin,r=KEY", "admin", ""],
  ["#!::m=publish,r=KEY", "", ""],
  ["#!:: m = publish, r = live/KEY , u=user, s=secret", "user", "secret"],
  ["#!::u=KEY,bmd_uuid=1-2,bmd_name=Web Presenter", "", ""],
  ["#!::u=publish:live/KEY,bmd_uuid=1-2", "", ""],
  ["#!::u=live/KEY", "", ""],
  ["publish:KEY", "", ""],
  ["publish:live/KEY", "", ""],
  ["publish:live/KEY:a=b", "", ""],
  ["publish:live/KEY:user:secret", "user", "secret"],
  ["publish:KEY:user:secret:a=b", "user", "secret"],
  ["publish:KEY#feedbackplay", "", ""],
  ["live/KEY", "", ""],
  ["/live/KEY/", "", ""],
  ["KEY", "", ""],
  ["KEY?a=b", "", ""],
  ["uplive.sls.com/live/KEY", "", ""],
  ["KEY,mode:publish,token:abc", "", ""],
  ["srt://host:9999/live/KEY?latency=200", "", ""],
  ["srt%3A%2F%2Fhost%3A9999%2Flive%2FKEY", "", ""],
  ["%23!::r=live/KEY,m=publish,u=user", "user", ""],
  ["%23!%3A%3Ar%3DKEY%2Cm%3Dpublish", "", ""],
  ["publish%3Alive%2FKEY", "", ""],
  ["publish:KEY\r\n", "", ""],
  ["srt://host:8890?streamid=publish:KEY", "", ""],
  ["srt://host:8890?mode=caller&streamid=#!::r=KEY,m=publish&latency=300000", "", ""],
  ["srt://host:8890?streamid=%23!::r=KEY", "", ""],
])("%s", (text, user, password) => {
  expect(read(text)).toEqual({ key: "KEY", direction: "publish", user, password });
});

test("a key with a percent sign stays as it is", () => {
  expect(read("KEY%41")).toMatchObject({ key: "KEY%41" });
});

test.each(["#!::r=KEY,m=request", "read:KEY", "request:live/KEY", "play:KEY", "KEY,mode:request,token:a"])(
  "%s asks to play",
  (text) => {
    expect(read(text)).toMatchObject({ key: "KEY", direction: "play" });
  },
);

test.each([
  ["", "empty"],
  ["#!::m=publish", "empty"],
  ["publish:", "empty"],
  ["#!:{a}", "bad"],
  ["a\u0000b", "bad"],
  ["a\nb", "bad"],
  ["#!::r=KEY,m=bidirectional", "mode"],
  ["#!::r=KEY,m=publish,t=file", "media-type"],
])("%j is %s", (text, fault) => {
  expect(read(text)).toBe(fault);
});

test("no stream ID, and bytes that are no text", () => {
  expect(readStreamId(undefined)).toBe("empty");
  expect(readStreamId(Buffer.from([0xff, 0xfe]))).toBe("bad");
});

import { expect, test } from "vitest";
import {
  isMaskedPassword,
  isMaskedStreamKey,
  maskAddress,
  maskPassword,
  maskStreamKey,
} from "../../src/api-contract/masks.ts";

test("a masked password shows its first character and its length", () => {
  expect(maskPassword("hunter2")).toBe("h******");
  expect(maskPassword("x")).toBe("*");
  expect(maskPassword("abcd")).toBe("****");
  expect(maskPassword("")).toBe("");
  expect(maskPassword("🔑🔑")).toBe("**");
  expect(maskPassword("🔑🔑🔑🔑🔑")).toBe("🔑****");
});

test("a viewer sees the first four characters of a stream key, and its length", () => {
  expect(maskStreamKey("abcdefgh")).toBe("abcd****");
  expect(maskStreamKey("abcdefg")).toBe("abc****");
  expect(maskStreamKey("abcde")).toBe("ab***");
  for (const short of ["a", "ab", "abc", "abcd"]) expect(maskStreamKey(short)).toBe("*".repeat(short.length));
});

test("a mask is known as one, and no other text", () => {
  for (const text of ["a", "abcd", "hunter2", "🔑🔑🔑🔑🔑", "abcdefghijkl"]) {
    expect([isMaskedPassword(text), isMaskedPassword(maskPassword(text))]).toEqual([false, true]);
    expect([isMaskedStreamKey(text), isMaskedStreamKey(maskStreamKey(text))]).toEqual([false, true]);
  }
  for (const text of ["", "a*", "pass*", "*secret*", "ab******"]) expect(isMaskedPassword(text)).toBe(false);
  for (const text of ["", "a*", "key-*", "abcde***"]) expect(isMaskedStreamKey(text)).toBe(false);
});

test.each([
  ["rtmp://a.rtmp.youtube.com/live2", "rtmp://a.rtmp.youtube.com/…"],
  ["rtmps://[2001:db8::1]:443/app?token=s", "rtmps://[2001:db8::1]:443/…"],
  ["https://hooks.example.com:8443?s=1", "https://hooks.example.com:8443/…"],
  ["https://hooks.example.com#s", "https://hooks.example.com/…"],
  ["RTMP://user:pass@host/app", "RTMP://host/…"],
  ["rtmp://host", "rtmp://host"],
  ["rtmp://host:1935/", "rtmp://host:1935/"],
  ["rtmp://host/app\n/s", "rtmp://host/…"],
  ["no address", "/…"],
])("of %s a viewer sees %s", (url, shown) => {
  expect(maskAddress(url)).toBe(shown);
});

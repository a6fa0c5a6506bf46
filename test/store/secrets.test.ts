import { describe, expect, test, vi } from "vitest";
import { OpenedSecrets } from "../../src/store/secrets/opened-secrets.ts";
import { SecretError, Secrets } from "../../src/store/secrets/secrets.ts";

const KEY = { id: "0000000a", bytes: Buffer.alloc(32, 1) };
const OTHER = { id: "0000000b", bytes: Buffer.alloc(32, 2) };
const PLACE = { table: "target", column: "stream_key", row: "1" };

describe("sealing", () => {
  test.each(["x", "live_1234?bandwidthtest=true", "비밀", "a".repeat(512)])("%s is opened as it was sealed", (text) => {
    const secrets = new Secrets([KEY]);
    const sealed = secrets.seal(text, PLACE);
    expect(sealed).toMatch(/^v1\.0000000a\.[A-Za-z0-9_-]+$/);
    expect(secrets.open(sealed, PLACE)).toBe(text);
    expect(new Secrets([OTHER, KEY]).open(sealed, PLACE)).toBe(text);
  });

  test("the same text is never sealed the same way twice", () => {
    const secrets = new Secrets([KEY]);
    const sealed = Array.from({ length: 100 }, () => secrets.seal("text", PLACE));
    expect(new Set(sealed).size).toBe(100);
  });

  test("empty text stays empty", () => {
    const secrets = new Secrets([KEY]);
    expect(secrets.seal("", PLACE)).toBe("");
    expect(secrets.open("", PLACE)).toBe("");
  });

  test.each([
    { ...PLACE, table: "channel" },
    { ...PLACE, column: "login_password" },
    { ...PLACE, row: "11" },
    { table: "tar", column: "getstream_key", row: "1" },
  ])("a value that was moved to $table.$column of $row does not open", (place) => {
    const secrets = new Secrets([KEY]);
    expect(() => secrets.open(secrets.seal("text", PLACE), place)).toThrow(SecretError);
  });

  test("a value that was altered anywhere does not open", () => {
    const secrets = new Secrets([KEY]);
    const sealed = secrets.seal("text", PLACE);
    const bytes = Buffer.from(sealed.slice("v1.0000000a.".length), "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
      expect(() => secrets.open(`v1.0000000a.${altered.toString("base64url")}`, PLACE)).toThrow(SecretError);
    }
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length).toString("base64url");
      expect(() => secrets.open(`v1.0000000a.${cut}`, PLACE)).toThrow(SecretError);
    }
  });

  test.each(["plain text", "v2.0000000a.AAAA", "v1.0000000a", "v1.0000000a.AAAA.AAAA", "."])(
    "%s is refused, without being repeated in the error",
    (sealed) => {
      const open = () => new Secrets([KEY]).open(sealed, PLACE);
      expect(open).toThrow(SecretError);
      expect(open).not.toThrow(sealed);
    },
  );

  test("a value under a missing key, or under another key of that id, does not open", () => {
    const sealed = new Secrets([KEY]).seal("text", PLACE);
    expect(() => new Secrets([OTHER]).open(sealed, PLACE)).toThrow("the key 0000000a");
    expect(() => new Secrets([{ ...OTHER, id: KEY.id }]).open(sealed, PLACE)).toThrow("does not open");
    expect(() => new Secrets([{ ...KEY, id: OTHER.id }]).open(sealed.replace(KEY.id, OTHER.id), PLACE)).toThrow(
      SecretError,
    );
  });
});

describe("the index", () => {
  test("is the same for the same text in the same column, and reveals nothing without the key", () => {
    const secrets = new Secrets([KEY]);
    const index = secrets.index("text", "channel", "stream_key");
    expect(index).toBe(new Secrets([KEY, OTHER]).index("text", "channel", "stream_key"));
    const others = [
      secrets.index("Text", "channel", "stream_key"),
      secrets.index("text", "access_key", "stream_key"),
      secrets.index("text", "channel", "secret_key"),
      new Secrets([OTHER]).index("text", "channel", "stream_key"),
    ];
    expect(new Set([index, ...others]).size).toBe(5);
    expect(index).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test("is known under every key, the present one first", () => {
    const secrets = new Secrets([OTHER, KEY]);
    expect(secrets.indexes("text", "channel", "stream_key")).toEqual([
      new Secrets([OTHER]).index("text", "channel", "stream_key"),
      new Secrets([KEY]).index("text", "channel", "stream_key"),
    ]);
  });
});

test("after the keys are replaced the first of the new ones seals, and only they open", () => {
  const secrets = new Secrets([KEY]);
  const old = secrets.seal("text", PLACE);
  secrets.replaceKeys([OTHER, KEY]);
  expect(secrets.currentKeyId).toBe(OTHER.id);
  expect(secrets.seal("text", PLACE)).toMatch(/^v1\.0000000b\./);
  expect(secrets.seal("text", PLACE, KEY.id)).toMatch(/^v1\.0000000a\./);
  expect(secrets.open(old, PLACE)).toBe("text");
  secrets.replaceKeys([OTHER]);
  expect(() => secrets.open(old, PLACE)).toThrow(SecretError);
});

describe("an opened value", () => {
  test("is not decrypted again, and is known in its own place alone", () => {
    const secrets = new Secrets([KEY]);
    const sealed = secrets.seal("text", PLACE);
    const open = vi.spyOn(secrets, "open");
    for (let time = 0; time < 3; time += 1) expect(secrets.openAgain(sealed, PLACE)).toBe("text");
    expect(open).toHaveBeenCalledTimes(1);
    for (const place of [
      { ...PLACE, row: "2" },
      { ...PLACE, column: "url" },
      { ...PLACE, table: "channel" },
    ]) {
      expect(() => secrets.openAgain(sealed, place)).toThrow(SecretError);
    }
    expect(secrets.openAgain("", PLACE)).toBe("");
    expect(secrets.openAgain(secrets.seal("other", PLACE), PLACE)).toBe("other");
  });

  test("is forgotten with the keys: what the new ones do not open does not open", () => {
    const secrets = new Secrets([KEY]);
    const sealed = secrets.seal("text", PLACE);
    expect(secrets.openAgain(sealed, PLACE)).toBe("text");
    secrets.replaceKeys([OTHER]);
    expect(() => secrets.openAgain(sealed, PLACE)).toThrow(SecretError);
  });

  test("is bounded, and the value unused for longest goes first", () => {
    const opened = new OpenedSecrets(2);
    opened.keep("a", PLACE, "A");
    opened.keep("b", PLACE, "B");
    expect(opened.find("a", PLACE)).toBe("A");
    opened.keep("c", PLACE, "C");
    expect(["a", "b", "c"].map((sealed) => opened.find(sealed, PLACE))).toEqual(["A", undefined, "C"]);
  });
});

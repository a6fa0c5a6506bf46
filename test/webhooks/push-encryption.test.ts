import { createPublicKey, randomBytes, verify } from "node:crypto";
import { expect, test } from "vitest";
import { arePushKeys, encryptPush, pushRandom } from "../../src/webhooks/push/push-encryption.ts";
import { newVapidKey, vapidAuthorization, vapidPublicKey } from "../../src/webhooks/push/vapid.ts";
import { PushBrowser } from "../support/dashboard/push-browser.ts";

const bytes = (text: string) => Buffer.from(text, "base64url");

/** The example of RFC 8291, section 5 and appendix A. */
const EXAMPLE = {
  text: "When I grow up, I want to be a watermelon",
  privateKey: "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
  salt: "DGv6ra1nlYgDCS1FRnbzlw",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
  receiverPrivate: "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
  receiver: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  body: "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
};

test("a message is encrypted as in the example of RFC 8291, and the tests' own reader reads it", () => {
  const { text, privateKey, salt, auth, receiver, receiverPrivate, body } = EXAMPLE;
  const random = { privateKey: bytes(privateKey), salt: bytes(salt) };
  expect(encryptPush(text, { p256dh: receiver, auth }, random).toString("base64url")).toBe(body);
  expect(new PushBrowser("https://push/", bytes(auth), bytes(receiverPrivate)).decrypt(bytes(body))).toBe(text);
});

test("two messages with the same text differ, and only the browser they are for reads them", () => {
  const browser = new PushBrowser("https://push/1");
  const [one, other] = [1, 2].map(() => encryptPush("세 번", browser.keys, pushRandom(randomBytes)));
  expect(one?.equals(other ?? Buffer.alloc(0))).toBe(false);
  expect([one, other].map((body) => browser.decrypt(body ?? Buffer.alloc(0)))).toEqual(["세 번", "세 번"]);
  expect(() => new PushBrowser("https://push/2").decrypt(one ?? Buffer.alloc(0))).toThrow();
});

test("keys that no browser can have are refused", () => {
  const { p256dh, auth } = new PushBrowser("https://push/1").keys;
  const offCurve = bytes(p256dh);
  offCurve[40] = (offCurve[40] ?? 0) ^ 1;
  expect(arePushKeys({ p256dh, auth })).toBe(true);
  expect(arePushKeys({ p256dh: offCurve.toString("base64url"), auth })).toBe(false);
  expect(arePushKeys({ p256dh: p256dh.slice(2), auth })).toBe(false);
  expect(arePushKeys({ p256dh, auth: auth.slice(2) })).toBe(false);
  expect(arePushKeys({ p256dh: "", auth })).toBe(false);
});

test("a push request names its sender, for the service's own origin and half a day", () => {
  const key = newVapidKey();
  const header = vapidAuthorization(
    key,
    "https://push.example:8443/a/b?c",
    "https://fanfare.example",
    1_700_000_000_500,
  );
  const [, head = "", claims = "", signature = "", shown] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header) ?? [];
  expect(JSON.parse(bytes(head).toString())).toEqual({ typ: "JWT", alg: "ES256" });
  expect(JSON.parse(bytes(claims).toString())).toEqual({
    aud: "https://push.example:8443",
    exp: 1_700_000_000 + 12 * 3_600,
    sub: "https://fanfare.example",
  });
  expect(shown).toBe(vapidPublicKey(key));
  expect([bytes(shown ?? "").length, bytes(shown ?? "")[0]]).toEqual([65, 4]);
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x: key.x, y: key.y }, format: "jwk" });
  const isSigned = (text: string) =>
    verify("sha256", Buffer.from(text), { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes(signature));
  expect([isSigned(`${head}.${claims}`), isSigned(`${head}.x`)]).toEqual([true, false]);
});

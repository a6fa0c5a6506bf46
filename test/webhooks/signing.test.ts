import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { signatureHeaders } from "../../src/webhooks/signing.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"id":7,"text":"한글"}';

test("the specification's own library accepts our signature, and no other secret, body or id", () => {
  const headers = signatureHeaders({ id: "evt_7", nowMs: Date.now(), body: BODY }, SECRET);
  expect(new Webhook(SECRET).verify(BODY, headers)).toEqual({ id: 7, text: "한글" });
  expect(() => new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx").verify(BODY, headers)).toThrow();
  expect(() => new Webhook(SECRET).verify(BODY.replace("7", "8"), headers)).toThrow();
  expect(() => new Webhook(SECRET).verify(BODY, { ...headers, "webhook-id": "evt_8" })).toThrow();
});

test("id, whole seconds and signature are in the headers of Standard Webhooks", () => {
  const at = new Date(1_674_087_231_000);
  expect(signatureHeaders({ id: "evt_7", nowMs: at.getTime() + 999, body: BODY }, SECRET)).toEqual({
    "webhook-id": "evt_7",
    "webhook-timestamp": "1674087231",
    "webhook-signature": new Webhook(SECRET).sign("evt_7", at, BODY),
  });
});

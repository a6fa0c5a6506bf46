import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { expect, onTestFinished, test, vi } from "vitest";
import { Secrets } from "../../../src/store/secrets/secrets.ts";
import { Api, CHANNELS, MANAGER } from "../api.ts";

/** The client of this test signs its request in the same process. */
const CLIENT_SIGNATURES = 1;

test("an unknown access key costs as much as a wrong signature: a secret is opened and a signature made, once each", async () => {
  const api = await Api.open();
  const open = vi.spyOn(Secrets.prototype, "open");
  const sign = vi.spyOn(crypto, "createHmac");
  syncBuiltinESMExports();
  onTestFinished(async () => {
    open.mockRestore();
    sign.mockRestore();
    syncBuiltinESMExports();
    await api.close();
  });
  const costOf = async (accessKeyId: string) => {
    open.mockClear();
    sign.mockClear();
    const key = { accessKeyId, secretKey: "wrong-secret-0000000000000000000000000001" };
    const { status, text } = await api.get(CHANNELS, key);
    return { status, text, opened: open.mock.calls.length, signatures: sign.mock.calls.length };
  };
  const wrongSignature = await costOf(MANAGER.accessKeyId);
  expect(wrongSignature).toMatchObject({ status: 401, opened: 1, signatures: CLIENT_SIGNATURES + 1 });
  expect(await costOf("UNKNOWN0000000000001")).toEqual(wrongSignature);
});

import { expect, test, vi } from "vitest";
import { isSignatureValid } from "../../src/api-contract/signature.ts";
import { Secrets } from "../../src/store/secrets/secrets.ts";
import { Api, CHANNELS, MANAGER } from "./api.ts";

vi.mock("../../src/api-contract/signature.ts", { spy: true });

test("an unknown access key costs as much as a wrong signature: a secret is opened and a signature made, once each", async () => {
  const api = await Api.open();
  const open = vi.spyOn(Secrets.prototype, "open");
  const costOf = async (accessKeyId: string) => {
    open.mockClear();
    vi.mocked(isSignatureValid).mockClear();
    const key = { accessKeyId, secretKey: "wrong-secret-0000000000000000000000000001" };
    const { status, text } = await api.get(CHANNELS, key);
    return { status, text, opened: open.mock.calls.length, signatures: vi.mocked(isSignatureValid).mock.calls.length };
  };
  try {
    const wrongSignature = await costOf(MANAGER.accessKeyId);
    expect(wrongSignature).toMatchObject({ status: 401, opened: 1, signatures: 1 });
    expect(await costOf("UNKNOWN0000000000001")).toEqual(wrongSignature);
  } finally {
    open.mockRestore();
    await api.close();
  }
});

import { expect, onTestFinished, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import type { TargetLogin } from "../../src/testkit/target/target-login.ts";

async function targetWith(login: TargetLogin): Promise<KitTarget> {
  const target = await KitTarget.start({ behaviour: { login } });
  onTestFinished(() => target.close());
  return target;
}

test("a client that does not log in learns that a login is needed, and by which scheme", async () => {
  for (const scheme of ["adobe", "llnw"] as const) {
    const target = await targetWith({ scheme, id: "user", password: "pass" });
    const encoder = new KitEncoder({ url: target.url, streamKey: "a-key", clip: syntheticClip() });
    expect((await encoder.closed).end).toEqual({
      how: "refused",
      failure: {
        kind: "login-demanded",
        code: "NetConnection.Connect.Rejected",
        demand: { kind: "name-wanted", scheme },
      },
    });
  }
});

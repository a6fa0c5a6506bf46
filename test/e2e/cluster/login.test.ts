import { expect, test } from "vitest";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import { loginProof, sayLogin } from "../../support/encoders/login-client.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

test("each step of an encoder's login may come to another node, and a proof is good at one of them", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const [{ fanfare: a, api }, { fanfare: b }] = [await cluster.node("a"), await cluster.node("b")];
  const { channelId } = await api.createChannel("login", [
    { rtmpUrl: "rtmp://127.0.0.1:9/x", streamKey: uniqueKey("key") },
  ]);
  const login = { id: "alice", password: uniqueKey("password") };
  stage.keepSecret(login.password);
  await api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { ingestAuth: login });
  const { streamKey } = await api.channel(channelId);

  for (const app of ["relay/login", "relay/login-llnw"]) {
    for (const [asked, judging] of [
      [a, b],
      [b, a],
    ] as const) {
      const attempt = { port: judging.rtmpPort, app, streamKey, credentials: login };
      const proof = await loginProof(attempt, asked.rtmpPort);
      expect([app, await sayLogin(attempt, proof)]).toEqual([app, "publishing"]);
      expect([app, await sayLogin({ ...attempt, port: asked.rtmpPort }, proof)]).not.toEqual([app, "publishing"]);
    }
  }
});

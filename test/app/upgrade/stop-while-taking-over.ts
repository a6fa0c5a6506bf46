import { readConfig } from "../../../src/app/config/config.ts";
import { startServer } from "../../../src/app/control-thread/server.ts";
import { openOutputs } from "../../../src/app/process/outputs.ts";

/**
 * Starts a server by the environment, which is asked to stop just before it looks for the n-th time whether it was: the argument.
 * Says whether the start was given up, or ended all the same; a server that has started is stopped then.
 */
const lookAt = Number(process.argv[2]);
const read = readConfig([], process.env);
if ("show" in read) throw new Error("no settings");

const request = new AbortController();
const { signal } = request;
const look = signal.throwIfAborted.bind(signal);
let looks = 0;
signal.throwIfAborted = () => {
  looks += 1;
  if (looks === lookAt) request.abort(new Error("asked to stop"));
  look();
};
const server = await startServer(read.config, openOutputs(), signal).catch((error: unknown) => {
  if (error !== signal.reason) throw error;
  return undefined;
});
process.stderr.write(server === undefined ? "given up\n" : `started with ${looks} looks\n`);
await server?.stop();
process.exit(0);

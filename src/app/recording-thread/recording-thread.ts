import assert from "node:assert";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { SYSTEM_DISK } from "../../recording/files/disk.ts";
import { Recorder, type RecorderSettings } from "../../recording/recorder.ts";
import { portTransport } from "../../remote-publish/message-transport.ts";
import type {
  FromRecorded,
  FromRecorder,
  ToRecorded,
  ToRecorder,
} from "../../thread-protocol/recordings/recorder-messages.ts";
import type { Envelope } from "../threads/transport-ends.ts";

// The root of the recording thread: the only one that waits for the disk of the recordings.

assert(parentPort !== null, "this file runs as a worker thread only");
const port = parentPort;
const settings = workerData as RecorderSettings;
const post = (message: FromRecorder, transferred: readonly ArrayBuffer[] = []) =>
  port.postMessage(message, [...transferred]);
const warn = (name: string, detail: string) => post({ kind: "warning", name, detail });

// Node would write the warning to standard error and wait until it is read.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => warn(name, message));

const recorder = new Recorder({ disk: SYSTEM_DISK, clock: systemClock, settings, post });
recorder.start();
port.on("message", ({ message, end }: Envelope<ToRecorder>) => {
  switch (message.kind) {
    case "link":
      assert(end !== undefined, "no transport came with the message");
      return recorder.serve(portTransport<ToRecorded, FromRecorded>(end, (error) => warn("link", String(error))));
    case "request":
      return recorder.request(message.requestId, message.request);
    case "shutdown":
      void recorder.stop(message.problem).finally(() => port.close());
      return;
  }
});

const { upload } = settings;
// Loaded here: 35 MB of memory for those who upload, and nothing for others.
if (upload !== undefined) {
  const { S3Store } = await import("../../recording/upload/s3-store.ts");
  recorder.uploadTo(new S3Store(upload), upload.prefix, Math.random);
}

import type { RecordingReply, RecordingRequest } from "../../thread-protocol/recordings/recorder-messages.ts";

/** The recorder as the use cases see it. */
export interface RecorderPort {
  /** Rejects with RecorderUnavailableError where the recorder does not answer. */
  ask(request: RecordingRequest): Promise<RecordingReply>;
}

/** The recorder or its disk does not answer now. */
export class RecorderUnavailableError extends Error {
  override readonly name = "RecorderUnavailableError";
  constructor() {
    super("the recorder does not answer");
  }
}

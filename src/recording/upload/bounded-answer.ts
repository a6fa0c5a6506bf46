import { pipeline, Readable, Transform } from "node:stream";

/** More than any answer to an upload has, in bytes. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** The same body, which fails once it is longer than an answer can be: the client reads it as a whole into memory. */
export function boundedAnswer(body: unknown): unknown {
  if (!(body instanceof Readable)) return body;
  let bytes = 0;
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) done(new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`));
      else done(null, chunk);
    },
  });
  // Whoever reads it gets the error.
  return pipeline(body, bounded, () => undefined);
}

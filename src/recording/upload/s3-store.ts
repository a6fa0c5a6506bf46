import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { boundedAnswer } from "./bounded-answer.ts";
import { type ObjectStore, ObjectStoreError } from "./object-store.ts";
import type { S3Settings } from "./s3-settings.ts";

/** How long a connection may take to open, in milliseconds. */
const CONNECT_MS = 10_000;
/** How long a connection may be silent, in milliseconds. */
const SILENT_MS = 30_000;
/** How long one call may take, in milliseconds: a part of 8 MiB at 0.5 Mbit/s. */
const CALL_MS = 150_000;
/** HTTP's answers that say "later": everything else from 400 to 499 is a refusal. */
const LATER: readonly number[] = [408, 425, 429];
/** Codes for an upload that cannot go on: it is not there, or what was sent of it. */
const FORGOTTEN: readonly string[] = ["NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"];

/** A bucket of an S3-compatible service. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor({ endpoint, region, bucket, accessKey, secretKey }: S3Settings) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      ...{ endpoint, region },
      // The bucket as a part of the path works with every service; as a part of the name it needs DNS.
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      // The uploader tries again by itself.
      maxAttempts: 1,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
      // Services other than Amazon's do not know the newer checksums.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    // Next to the wire, before the client reads it.
    this.#client.middlewareStack.add(
      (next) => async (given) => {
        const output = await next(given);
        const { response } = output;
        if (typeof response === "object" && response !== null && "body" in response)
          response.body = boundedAnswer(response.body);
        return output;
      },
      { step: "deserialize", priority: "low", name: "boundedAnswer" },
    );
  }

  async begin(name: string, contentType: string): Promise<string> {
    const input = { Bucket: this.#bucket, Key: name, ContentType: contentType };
    const { UploadId } = await this.#call((abort) => this.#client.send(new CreateMultipartUploadCommand(input), abort));
    return given(UploadId, "upload id");
  }

  async send(name: string, uploadId: string, part: number, bytes: Uint8Array): Promise<string> {
    const input = { Bucket: this.#bucket, Key: name, UploadId: uploadId, PartNumber: part, Body: bytes };
    const { ETag } = await this.#call((abort) => this.#client.send(new UploadPartCommand(input), abort));
    return given(ETag, "tag of a part");
  }

  async complete(name: string, uploadId: string, tags: readonly string[]): Promise<void> {
    const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const input = { Bucket: this.#bucket, Key: name, UploadId: uploadId, MultipartUpload: { Parts } };
    await this.#call((abort) => this.#client.send(new CompleteMultipartUploadCommand(input), abort));
  }

  async abort(name: string, uploadId: string): Promise<void> {
    const input = { Bucket: this.#bucket, Key: name, UploadId: uploadId };
    await this.#call((abort) => this.#client.send(new AbortMultipartUploadCommand(input), abort));
  }

  async #call<Answer>(run: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>): Promise<Answer> {
    try {
      return await run({ abortSignal: AbortSignal.timeout(CALL_MS) });
    } catch (error) {
      throw failureOf(error);
    }
  }
}

function given(value: string | undefined, what: string): string {
  if (value === undefined) throw new ObjectStoreError("unreachable", `the answer has no ${what}`);
  return value;
}

/** The service's own code and sentence, such as `AccessDenied: Access Denied`; neither has the secret. */
function failureOf(error: unknown): ObjectStoreError {
  const text = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 300) : String(error);
  if (!(error instanceof S3ServiceException)) return new ObjectStoreError("unreachable", text);
  const status = error.$metadata.httpStatusCode ?? 500;
  if (FORGOTTEN.includes(error.name)) return new ObjectStoreError("forgotten", text);
  const isRefusal = status >= 400 && status < 500 && !LATER.includes(status);
  return new ObjectStoreError(isRefusal ? "refused" : "unreachable", text);
}

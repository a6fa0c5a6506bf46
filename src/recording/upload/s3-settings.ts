/** Where a bucket of an S3-compatible service is, and the key to it. */
export type S3Settings = {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  /** Secret. */
  readonly secretKey: string;
};

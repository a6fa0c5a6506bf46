import type { FastifyInstance } from "fastify";
import type { Log } from "../../base/log.ts";
import { setHttpCertificate } from "../../http/server/listener.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Config } from "../config/settings/settings.ts";
import { type Certificate, followCertificate, readAuthorities, readCertificate } from "./certificate-files.ts";
import type { MediaPool } from "./media/media-pool.ts";

/** The content of the files that the TLS settings name. */
export type TlsFiles = {
  /** The certificate of the RTMPS and HTTPS ports; absent: neither port. */
  readonly certificate?: Certificate;
  /** PEM. */
  readonly extraCa?: string;
};

type TlsConfig = Pick<Config, "tlsCert" | "tlsKey" | "tlsExtraCa">;

type Users = {
  readonly runtime: MediaPool;
  readonly http: FastifyInstance;
  readonly metrics: Metrics;
};

/** Reads the files. Throws ConfigError if one is not valid. */
export async function readTlsFiles({ tlsCert, tlsKey, tlsExtraCa }: TlsConfig): Promise<TlsFiles> {
  return {
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { certificate: await readCertificate({ cert: tlsCert, key: tlsKey }) }),
    ...(tlsExtraCa === undefined ? {} : { extraCa: await readAuthorities(tlsExtraCa) }),
  };
}

/** Gives changed certificates to both listeners until the API's closes. Present connections keep theirs. */
export function followTlsFiles(
  { tlsCert, tlsKey }: TlsConfig,
  { certificate }: TlsFiles,
  { runtime, http, metrics }: Users,
  log: Log,
): void {
  if (certificate === undefined || tlsCert === undefined || tlsKey === undefined) return;
  metrics.certificateInUse(certificate.expiryTime);
  const unfollow = followCertificate({ cert: tlsCert, key: tlsKey }, certificate, {
    onTaken: ({ pair, expiryTime }) => {
      runtime.setCertificate(pair);
      setHttpCertificate(http, pair);
      metrics.certificateInUse(expiryTime);
      metrics.certificateChange("taken");
      log.info("certificate taken up", { until: new Date(expiryTime).toISOString() });
    },
    onRefused: (problem) => {
      metrics.certificateChange("refused");
      log.error("changed certificate files not used, the present certificate stays in use", { detail: problem });
    },
  });
  http.server.once("close", unfollow);
}

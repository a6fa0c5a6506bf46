import { parseBasePath } from "../../../http/server/base-path.ts";
import { parseHostNames } from "../../../http/server/host-names.ts";
import {
  cidrs,
  hostName,
  PORT_ALLOWED,
  parsed,
  parseListenAddress,
  port,
  publishUrl,
  securePublishUrl,
  srtUrl,
  text,
} from "../setting-values.ts";
import { setting } from "./setting.ts";

/** The settings of addresses and ports. */
export const LISTENER_SETTINGS = {
  httpHost: setting("FANFARE_HTTP_HOST", hostName, "Address on which the API listens (default: all)."),
  httpPort: setting("FANFARE_HTTP_PORT", port(PORT_ALLOWED), "Port of the API.", "8080"),
  rtmpHost: setting("FANFARE_RTMP_HOST", hostName, "Address on which encoders are accepted (default: all)."),
  rtmpPort: setting("FANFARE_RTMP_PORT", port(PORT_ALLOWED), "Port on which encoders are accepted.", "1935"),
  rtmpsPort: setting(
    "FANFARE_RTMPS_PORT",
    port(PORT_ALLOWED),
    "Port on which encoders are accepted over TLS, where FANFARE_TLS_CERT is given.",
    "1936",
  ),
  proxyProtocolFrom: setting(
    "FANFARE_PROXY_PROTOCOL_FROM",
    cidrs,
    "Networks of the TCP proxies in front of the encoders' ports, which must send a PROXY header (version 2): comma-separated CIDRs.",
    "",
  ),
  srtPort: setting(
    "FANFARE_SRT_PORT",
    port(PORT_ALLOWED),
    "UDP port on which encoders are accepted over SRT, such as 8890 (default: none, SRT is off).",
  ),
  srtPassphrase: setting(
    "FANFARE_SRT_PASSPHRASE",
    text("10 to 79 printable ASCII characters", /^[\x21-\x7e]{10,79}$/),
    "Passphrase that every encoder over SRT has to use (default: none, SRT is not encrypted).",
  ),
  srtLatencyMs: setting(
    "FANFARE_SRT_LATENCY",
    parsed(
      (value) => (/^\d{2,4}$/.test(value) && Number(value) >= 20 && Number(value) <= 8_000 ? Number(value) : undefined),
      "a whole number of milliseconds from 20 to 8000",
    ),
    "How long a packet that was lost on its way over SRT is waited for at least, in milliseconds; an encoder may ask for more.",
    "300",
  ),
  tlsCert: setting(
    "FANFARE_TLS_CERT",
    text("a file", /^[^\0]+$/),
    "Certificate and its chain in PEM form: opens the RTMPS port, and makes the API's port HTTPS. Read again when it changes.",
  ),
  tlsKey: setting("FANFARE_TLS_KEY", text("a file", /^[^\0]+$/), "Private key of that certificate, in PEM form."),
  tlsExtraCa: setting(
    "FANFARE_TLS_EXTRA_CA",
    text("a file", /^[^\0]+$/),
    "Additional authorities in PEM form that may sign the certificates of rtmps:// targets.",
  ),
  publicHost: setting(
    "FANFARE_PUBLIC_HOST",
    hostName,
    "Host in publishUrl (default: this machine's first outside address).",
  ),
  allowedHosts: setting(
    "FANFARE_ALLOWED_HOSTS",
    parsed(parseHostNames, "comma-separated host names such as fanfare.lan,*.example.com, or * for any"),
    "Host names of the API and the dashboard, beside FANFARE_PUBLIC_HOST, localhost and any IP address.",
    "",
  ),
  publishUrl: setting("FANFARE_PUBLISH_URL", publishUrl, "Whole publishUrl, where a mapped port makes it differ."),
  securePublishUrl: setting(
    "FANFARE_SECURE_PUBLISH_URL",
    securePublishUrl,
    "Whole securePublishUrl, where a mapped port or a proxy for TLS makes it differ.",
  ),
  srtUrl: setting("FANFARE_SRT_URL", srtUrl, "Whole srtUrl, where a mapped port makes it differ."),
  basePath: setting(
    "FANFARE_BASE_PATH",
    parsed(parseBasePath, "a path such as /fanfare"),
    "Path at which a reverse proxy serves the API and the dashboard (default: the root).",
    "/",
  ),
  trustedProxies: setting(
    "FANFARE_TRUSTED_PROXIES",
    cidrs,
    "Networks of the reverse proxies whose X-Forwarded-For gives a client's address: comma-separated CIDRs.",
    "",
  ),
  metricsListen: setting(
    "FANFARE_METRICS_LISTEN",
    parsed(parseListenAddress, "HOST:PORT such as 127.0.0.1:9464 or [::1]:9464, with a port from 1 to 65535"),
    "Address at which /metrics is served, instead of the API's port.",
  ),
} as const;

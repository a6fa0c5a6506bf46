import { existsSync } from "node:fs";
import { fail, runQuietly, succeeds } from "./steps.mjs";

/** Programs that the system and end-to-end tests run, each with the Debian packages that have it. */
const COMMANDS = [
  { command: "ffmpeg", args: ["-version"], packages: ["ffmpeg"] },
  { command: "nginx", args: ["-v"], packages: ["nginx"] },
  { command: "caddy", args: ["version"], packages: ["caddy"] },
  { command: "openssl", args: ["version"], packages: ["openssl"] },
  { command: "python3", args: ["--version"], packages: ["python3"] },
  { command: "gcc", args: ["--version"], packages: ["gcc", "libc6-dev"] },
  { command: "taskset", args: ["--version"], packages: ["util-linux"] },
  { command: "ip", args: ["-V"], packages: ["iproute2"] },
  { command: "nft", args: ["-v"], packages: ["nftables"] },
  { command: "curl", args: ["--version"], packages: ["curl", "ca-certificates"] },
  { command: "obs", args: ["--version"], packages: ["obs-studio", "obs-plugins"] },
  { command: "Xvfb", args: ["-help"], packages: ["xvfb"] },
  { command: "chromium", args: ["--version"], packages: ["chromium", "fonts-noto-cjk"] },
  { command: "chromium-headless-shell", args: ["--version"], packages: ["chromium-headless-shell"] },
  { command: "/usr/lib/postgresql/15/bin/postgres", args: ["--version"], packages: ["postgresql-15"] },
  // The paths are Debian's: these programs are not on every user's search path.
  { command: "/usr/sbin/nats-server", args: ["--version"], packages: ["nats-server"] },
  { command: "/usr/sbin/haproxy", args: ["-v"], packages: ["haproxy"] },
  { command: "srt-live-transmit", args: ["-version"], packages: ["srt-tools"] },
  { command: "promtool", args: ["--version"], packages: ["prometheus"] },
  { command: "systemd-analyze", args: ["--version"], packages: ["systemd"] },
  { command: "gst-launch-1.0", args: ["--version"], packages: ["gstreamer1.0-tools"] },
];
/** In seconds: a machine that has just started often installs updates by itself. */
const LOCK_WAIT_S = 300;
const RTSP_TYPELIB = "GstRtspServer-1.0.typelib";
/** Files of packages without a program of their own. The paths are Debian's. */
const FILES = [
  { paths: ["/usr/lib/nginx/modules/ngx_rtmp_module.so"], packages: ["libnginx-mod-rtmp"] },
  { paths: ["/usr/include/librtmp/rtmp.h"], packages: ["librtmp-dev"] },
  { paths: ["/usr/include/openssl/ssl.h"], packages: ["libssl-dev"] },
  {
    paths: ["x86_64-linux-gnu", "aarch64-linux-gnu"].map((each) => `/usr/lib/${each}/girepository-1.0/${RTSP_TYPELIB}`),
    packages: ["gir1.2-gst-rtsp-server-1.0", "python3-gi"],
  },
  // OBS starts without its plugins, and then can neither encode nor stream.
  {
    paths: ["/usr/lib/x86_64-linux-gnu/obs-plugins", "/usr/lib/aarch64-linux-gnu/obs-plugins"],
    packages: ["obs-plugins"],
  },
];
const GSTREAMER_ELEMENTS = [
  { elements: ["videotestsrc", "audiotestsrc", "tee"], packages: ["gstreamer1.0-plugins-base"] },
  { elements: ["flvmux", "aacparse"], packages: ["gstreamer1.0-plugins-good"] },
  {
    elements: ["rtmp2sink", "rtmpsink", "voaacenc", "h264parse", "srtsink", "mpegtsmux"],
    packages: ["gstreamer1.0-plugins-bad"],
  },
  { elements: ["x264enc"], packages: ["gstreamer1.0-plugins-ugly"] },
];

function missingPackages() {
  const missing = [
    ...COMMANDS.filter(({ command, args }) => !succeeds(command, args)),
    ...FILES.filter(({ paths }) => !paths.some((path) => existsSync(path))),
    ...GSTREAMER_ELEMENTS.filter(
      ({ elements }) => !elements.every((element) => succeeds("gst-inspect-1.0", ["--exists", element])),
    ),
  ];
  return [...new Set(missing.flatMap(({ packages }) => packages))];
}

/** Installs the programs that the tests run when this is root on Debian; otherwise names the packages and ends. */
export async function installTestTools() {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const list = packages.join(" ");
  if (process.getuid?.() !== 0 || !succeeds("apt-get", ["--version"])) {
    fail(
      `The tests run real encoders and servers. Please install: ${list}\n(Debian: sudo apt-get install ${list})\n` +
        "`npm run test:unit` runs the tests that need nothing but Node.",
    );
  }
  process.stdout.write(`— installing ${list}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await runQuietly("apt-get update", "apt-get", ["update"], env);
  const options = ["-o", `DPkg::Lock::Timeout=${LOCK_WAIT_S}`, "-y", "--no-install-recommends"];
  await runQuietly("apt-get install", "apt-get", ["install", ...options, ...packages], env);
  const still = missingPackages();
  if (still.length > 0) fail(`Still missing after apt-get install: ${still.join(" ")}`);
}

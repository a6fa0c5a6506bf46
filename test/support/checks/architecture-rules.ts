import { posix } from "node:path";
import { codeOf, importsOf } from "./source-imports.ts";

/** Source files by their path below `src/`, with `/` between folders: `relay/engine.ts`. */
export type SourceTree = ReadonlyMap<string, string>;

const EVERYTHING_BELOW_APP = [
  ...[
    "base",
    "protocol",
    "thread-protocol",
    "net",
    "api-contract",
    "relay",
    "control",
    "ingest",
    "egress",
    "remote-publish",
    "node-link",
  ],
  ...["http", "store", "webhooks", "placement", "cluster", "delay", "recording", "telemetry", "testkit"],
  ...["ffmpeg", "media-files", "sources"],
];

/**
 * Which room may import which: the house plan, whole. A room (a folder of `src/`) may always import itself. An entry
 * with a slash allows that folder or that file only.
 */
export const ROOM_RULES: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: [],
  net: ["base"],
  "thread-protocol": ["base"],
  "api-contract": ["thread-protocol", "base"],
  relay: ["protocol", "thread-protocol", "base"],
  control: [
    ...["thread-protocol", "base", "protocol/rtmp/url.ts", "api-contract/event-words.ts", "api-contract/alerts"],
    ...["api-contract/audit", "api-contract/contacts", "api-contract/masks.ts", "api-contract/sources"],
  ],
  ingest: ["relay", "protocol", "thread-protocol", "net", "base"],
  egress: ["relay", "protocol", "thread-protocol", "net", "base"],
  "remote-publish": ["relay", "protocol", "thread-protocol", "base"],
  "node-link": ["remote-publish", "thread-protocol", "base"],
  placement: ["control", "thread-protocol", "base"],
  store: [
    ...["control", "thread-protocol", "net", "base", "api-contract/event-words.ts", "api-contract/alerts"],
    "api-contract/audit",
    "api-contract/contacts",
  ],
  cluster: ["control", "thread-protocol", "net", "base"],
  ffmpeg: ["base"],
  "media-files": ["control/ports", "ffmpeg", "base"],
  sources: [
    ...["control/ports", "control/channels", "ffmpeg", "egress/open-socket.ts", "egress/tls-memory.ts"],
    ...["egress/srt-errors.ts", "net", "relay", "protocol", "thread-protocol", "base"],
  ],
  delay: ["thread-protocol", "base"],
  recording: ["protocol", "thread-protocol", "base"],
  webhooks: [
    "control",
    "thread-protocol",
    "net",
    "base",
    "api-contract/event-words.ts",
    "api-contract/alerts",
    "api-contract/contacts",
    "api-contract/words",
  ],
  http: ["control", "api-contract", "thread-protocol", "protocol/flv", "base"],
  telemetry: ["control/facts", "thread-protocol", "base"],
  testkit: ["protocol", "net", "base"],
  app: EVERYTHING_BELOW_APP,
  client: ["api-contract/signature.ts"],
  cli: ["app", "client", "api-contract", "testkit", "base"],
};

/** Rooms that hold the product's own logic: no packages, and of Node only modules that compute. */
const ROOMS_WITHOUT_PACKAGES = ["base", "protocol", "relay", "control"];
const PURE_NODE_MODULES = ["node:assert", "node:assert/strict", "node:buffer", "node:crypto", "node:url"];
/** `node:crypto` also has randomness. These rooms get randomness as an argument and never take it themselves. */
const PURE_CRYPTO_NAMES = [
  "createCipheriv",
  "createDecipheriv",
  "createHash",
  "createHmac",
  "hash",
  "pbkdf2Sync",
  "timingSafeEqual",
];

/** Rooms that get time and randomness as arguments, so that they also run in a simulator. */
const ROOMS_WITHOUT_WORLD = ["protocol", "relay", "control"];
const WORLD: Readonly<Record<string, RegExp>> = {
  "Date.now": /\bDate\s*\.\s*now\b/,
  "new Date()": /\bnew\s+Date\s*(?:\(\s*\)|(?!\s*\())/,
  setTimeout: /\bsetTimeout\b/,
  setInterval: /\bsetInterval\b/,
  setImmediate: /\bsetImmediate\b/,
  "Math.random": /\bMath\s*\.\s*random\b/,
  "performance.now": /\bperformance\s*\.\s*now\b/,
  process: /(?<![.\w])process\s*[.[]/,
};

/** A file holds one concept. Nobody reads what is generated. */
const FILE_LINES_MAX = 400;
const GENERATED = ["client/api-types.ts"];

const roomOf = (path: string): string => path.split("/")[0] ?? "";

/**
 * Rooms inside rooms: which of its neighbours a sub-room may import; a file stands for that file alone. Files of the
 * outer room itself may import all of them, and none of them may import those files.
 */
export const SUBROOM_RULES: Readonly<Record<string, readonly string[]>> = {
  "base/calendar": [],
  "ingest/publish": [],
  "ingest/proxy-protocol": ["ingest/peer-address.ts"],
  "ingest/rtmp": [
    "ingest/publish",
    "ingest/proxy-protocol",
    "ingest/batched-reader.ts",
    "ingest/claim-port.ts",
    "ingest/connection-limiter.ts",
    "ingest/peer-address.ts",
  ],
  "ingest/srt": ["ingest/publish", "ingest/connection-limiter.ts", "ingest/peer-address.ts"],
  "relay/stream": [],
  "relay/publisher": ["relay/stream"],
  "relay/packing": ["relay/stream"],
  "relay/subscriber": ["relay/stream", "relay/packing"],
  "relay/rendition": ["relay/stream", "relay/packing", "relay/subscriber/subscriber.ts"],
  "relay/broadcast": ["relay/stream", "relay/publisher", "relay/subscriber", "relay/rendition"],
  "control/presets": [],
  "control/channels": ["control/presets"],
  "control/ports": ["control/channels"],
  "control/audit": ["control/channels", "control/ports"],
  "control/facts": ["control/channels"],
  "control/access": ["control/channels", "control/ports"],
  "control/live": ["control/channels", "control/ports", "control/facts"],
  "control/ingest-check": ["control/channels", "control/presets", "control/facts"],
  "control/health": ["control/channels", "control/presets", "control/ports", "control/ingest-check"],
  "control/events": ["control/channels", "control/ports", "control/facts", "control/access"],
  "control/contacts": ["control/channels", "control/ports", "control/events", "control/access"],
  "control/sources": ["control/channels", "control/facts", "control/ports"],
  "control/alerts": ["control/channels", "control/presets", "control/facts", "control/events", "control/health"],
  "control/recordings": ["control/channels", "control/ports", "control/facts"],
  "control/reports": ["control/channels", "control/ports", "control/facts", "control/events"],
  "control/schedules": ["control/channels", "control/facts", "control/ports", "control/sources"],
  "control/history": ["control/channels", "control/facts"],
  "control/use-cases": [
    "control/channels",
    "control/ports",
    "control/facts",
    "control/access",
    "control/live",
    "control/ingest-check",
    "control/health",
  ],
  "recording/container": [],
  "recording/files": ["recording/container"],
  "store/schema": [],
  "store/secrets": ["store/schema"],
  "store/database": ["store/schema", "store/secrets"],
  "store/migrations": ["store/schema", "store/secrets", "store/database"],
  "store/deliveries": ["store/schema", "store/secrets", "store/database"],
  "store/reports": ["store/schema", "store/database"],
  "store/history": ["store/schema", "store/database"],
  "store/ownership": ["store/schema", "store/database"],
  "store/sources": ["store/schema", "store/secrets", "store/database"],
  "sources/pull-links": [],
  "store/access": ["store/schema", "store/secrets", "store/database"],
  "store/channels": ["store/schema", "store/secrets", "store/database", "store/deliveries", "store/access"],
  "store/events": [
    "store/schema",
    "store/secrets",
    "store/database",
    "store/channels",
    "store/deliveries",
    "store/reports",
  ],
  "store/audit": ["store/schema", "store/database", "store/events"],
  "store/sqlite": ["store/schema", "store/secrets", "store/database", "store/channels", "store/migrations"],
  "store/postgres": ["store/schema", "store/secrets", "store/database", "store/migrations", "store/ownership"],
  "http/answers": [],
  "http/server": ["http/answers"],
  "http/auth": ["http/answers", "http/server"],
  "http/live": ["http/answers"],
  "http/audit": ["http/answers", "http/auth"],
  "http/media": ["http/answers"],
  "http/contacts": ["http/answers"],
  "http/routes": ["http/answers", "http/server", "http/auth", "http/live", "http/audit"],
  "app/process": [],
  "app/threads": [],
  "app/config": [],
  "app/data-folder": ["app/config"],
  "app/delay-thread": [],
  "app/media-thread": ["app/threads", "app/process", "app/delay-thread"],
  "app/recording-thread": ["app/threads"],
  "app/upgrade": ["app/threads"],
  // It starts the entry files of the other threads.
  "app/control-thread": [
    ...["app/media-thread", "app/recording-thread", "app/threads", "app/process", "app/config", "app/data-folder"],
    ...["app/upgrade", "app/release.ts"],
  ],
  "app/commands": ["app/control-thread", "app/process", "app/config", "app/data-folder"],
};

/** Files side by side in one folder; migrations are a list that only grows. */
const ROOM_FILES_MAX = 15;
const LISTS = ["store/migrations"];

const subroomOf = (path: string): string => path.split("/").slice(0, 2).join("/");

function isUpward(path: string, target: string): boolean {
  const allowed = SUBROOM_RULES[subroomOf(path)];
  if (allowed === undefined || roomOf(target) !== roomOf(path)) return false;
  const isAllowedHere = allowed.some((entry) => entry === subroomOf(target) || entry === target);
  return subroomOf(target) !== subroomOf(path) && !isAllowedHere;
}

function crowdProblems(tree: SourceTree): string[] {
  const counts = new Map<string, number>();
  for (const path of tree.keys()) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1);
  return [...counts]
    .filter(([folder, count]) => count > ROOM_FILES_MAX && !LISTS.includes(folder))
    .map(([folder, count]) => `${folder} has ${count} files side by side`);
}

function isAllowed(room: string, target: string): boolean {
  if (roomOf(target) === room) return true;
  return (ROOM_RULES[room] ?? []).some((entry) => target === entry || target.startsWith(`${entry}/`));
}

function packageProblems(path: string, specifier: string, names: readonly string[]): string[] {
  if (!ROOMS_WITHOUT_PACKAGES.includes(roomOf(path))) return [];
  if (!PURE_NODE_MODULES.includes(specifier)) return [`${path} imports the package ${specifier}`];
  if (specifier !== "node:crypto") return [];
  const impure = names.length === 0 ? ["*"] : names.filter((name) => !PURE_CRYPTO_NAMES.includes(name));
  return impure.map((name) => `${path} takes ${name} from node:crypto`);
}

/** Returns the files of the tree that each file refers to, and every violation in those references. */
function readImports(tree: SourceTree): { graph: Map<string, string[]>; problems: string[] } {
  const graph = new Map<string, string[]>();
  const problems: string[] = [];
  for (const [path, text] of tree) {
    if (!Object.hasOwn(ROOM_RULES, roomOf(path))) problems.push(`${path} is in no room of the table`);
    const targets: string[] = [];
    for (const { specifier, names } of importsOf(text)) {
      if (!specifier.startsWith(".")) {
        problems.push(...packageProblems(path, specifier, names));
        continue;
      }
      const target = posix.normalize(posix.join(posix.dirname(path), specifier));
      if (tree.has(target)) targets.push(target);
      if (target.startsWith("..")) problems.push(`${path} imports ${specifier}, outside src/`);
      else if (!isAllowed(roomOf(path), target) || isUpward(path, target)) problems.push(`${path} imports ${target}`);
    }
    graph.set(path, targets);
  }
  return { graph, problems };
}

/** Returns every chain of files that leads back to where it began, once. */
function cycleProblems(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const problems: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      problems.push(`cycle: ${[...trail.slice(seenAt), path].join(" → ")}`);
      return;
    }
    if (finished.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return problems;
}

function textProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  const lineCount = text.trimEnd().split("\n").length;
  if (lineCount > FILE_LINES_MAX && !GENERATED.includes(path)) problems.push(`${path} has ${lineCount} lines`);
  if (!ROOMS_WITHOUT_WORLD.includes(roomOf(path))) return problems;
  const code = codeOf(text);
  for (const [word, pattern] of Object.entries(WORLD)) if (pattern.test(code)) problems.push(`${path} uses ${word}`);
  return problems;
}

/** Returns every violation of the house plan in a tree of sources, one sentence each. */
export function architectureProblems(tree: SourceTree): string[] {
  const { graph, problems } = readImports(tree);
  const texts = [...tree].flatMap(([path, text]) => textProblems(path, text));
  return [...problems, ...cycleProblems(graph), ...texts, ...crowdProblems(tree)];
}

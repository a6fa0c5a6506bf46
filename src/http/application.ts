import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { wantsPage } from "./request.ts";

/** Vite names these files after their content: whoever has one has it for good. */
const HASHED_FOLDER = "assets/";
const YEAR = "365d";
const INDEX = "index.html";

/** Addresses below which there are no pages. */
const NO_PAGES = /^\/(api|dashboard|preview|docs|openapi\.json|metrics|livez|readyz)(\/|$)/;

/** Our own files and nothing else; `blob:` is how a player hands video to the browser. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "media-src blob:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
} as const;

const NOT_BUILT =
  "The dashboard is not built. Run `npm run build` and start the server again; the API works without it.\n";

/** The built dashboard, served as it is: its files, and its one page for every address that a person may open. */
export class Application {
  readonly #files: ReadonlySet<string>;
  readonly #folder: string;

  /** The folder that the build makes; it may be missing. Read once: what is not in it now is never served. */
  constructor(folder: string) {
    this.#folder = folder;
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    this.#files = new Set(files.map((file) => file.slice(join(folder, sep).length).split(sep).join("/")));
  }

  register(server: FastifyInstance): void {
    if (this.#files.size > 0) server.register(fastifyStatic, { root: this.#folder, serve: false });
  }

  /** Whether this request, for which there is no route, is for a file or a page. */
  serves(request: FastifyRequest): boolean {
    if (request.method !== "GET" || NO_PAGES.test(pathOf(request))) return false;
    return this.#files.has(fileOf(request)) || wantsPage(request);
  }

  /** Answers what `serves` is true for. */
  send(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    reply.code(200).headers(HEADERS);
    const file = this.#files.has(fileOf(request)) ? fileOf(request) : INDEX;
    if (!this.#files.has(file)) return reply.code(404).type("text/plain;charset=utf-8").send(NOT_BUILT);
    if (file.startsWith(HASHED_FOLDER)) return reply.sendFile(file, { maxAge: YEAR, immutable: true });
    return reply.header("cache-control", "no-cache").sendFile(file, { cacheControl: false });
  }
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

/** The path as a file's name: names of built files need no decoding, so what is encoded is no file. */
function fileOf(request: FastifyRequest): string {
  return pathOf(request).slice(1);
}

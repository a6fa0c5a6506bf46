import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { sendBytes } from "../answers/reply.ts";
import { wantsPage } from "../answers/request.ts";
import { isRead } from "./head-requests.ts";

/** Vite names these files after their content: a cached copy is valid for ever. */
const HASHED_FOLDER = "assets/";
const FOR_GOOD = "public, max-age=31536000, immutable";
const INDEX = "index.html";

/** Addresses under which there are no pages. */
const NO_PAGES = /^\/(api|dashboard|preview|docs|openapi\.json|metrics|stat|livez|readyz)(\/|$)/;

/** Only our own files; a player passes video to the browser as `blob:`. */
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

/** The types of the build's files; any other file is served as bytes. */
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css;charset=utf-8",
  ".html": "text/html;charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript;charset=utf-8",
  ".json": "application/json;charset=utf-8",
  ".map": "application/json;charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain;charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

type Asset = { readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> };

/**
 * The built dashboard: its files, and its one page for every address that a person may open. Kept in memory, half a
 * megabyte that all answers share: a request for a file uses no descriptor and no copy, however slowly it is read.
 */
export class DashboardAssets {
  readonly #assets: ReadonlyMap<string, Asset>;

  /** The build's folder; it may be missing. Read once: later files are never served. */
  constructor(folder: string, basePath: string) {
    const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    this.#assets = new Map(
      files.map((file) => {
        const name = file.slice(join(folder, sep).length).split(sep).join("/");
        const bytes = readFileSync(file);
        return [name, assetOf(name, name === INDEX ? placed(bytes, basePath) : bytes)];
      }),
    );
  }

  /** Whether this request, for which there is no route, is for a file or a page. */
  serves(request: FastifyRequest): boolean {
    if (!isRead(request.method) || NO_PAGES.test(pathOf(request))) return false;
    return this.#assets.has(fileOf(request)) || wantsPage(request);
  }

  /** Sends what `serves` is true for. */
  send(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    reply.headers(HEADERS);
    const asset = this.#assets.get(fileOf(request)) ?? this.#assets.get(INDEX);
    if (asset === undefined) return reply.code(404).type("text/plain;charset=utf-8").send(NOT_BUILT);
    reply.headers(asset.headers);
    if (isKnown(request, asset.headers["etag"])) return reply.code(304).send();
    return sendBytes(reply.code(200), asset.bytes);
  }
}

/**
 * The page is served at many addresses, so the files that it loads are named from the root. All others find their
 * neighbours by themselves.
 */
function placed(page: Buffer, basePath: string): Buffer {
  return Buffer.from(page.toString().replaceAll(/((?:src|href)=")\.\//g, `$1${basePath}/`));
}

function assetOf(name: string, bytes: Buffer): Asset {
  const headers = {
    "content-type": TYPES[extname(name).toLowerCase()] ?? "application/octet-stream",
    "cache-control": name.startsWith(HASHED_FOLDER) ? FOR_GOOD : "no-cache",
    etag: `"${createHash("sha256").update(bytes).digest("base64url")}"`,
  };
  return { bytes, headers };
}

/** The browser has exactly this file (RFC 9110 §13.1.2); a proxy that compressed it may have weakened the validator. */
function isKnown(request: FastifyRequest, etag: string | undefined): boolean {
  const given = (request.headers["if-none-match"] ?? "").split(",").map((each) => each.trim().replace(/^W\//, ""));
  return etag !== undefined && given.includes(etag);
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

/** The path as a file name: names of built files need no decoding, so an encoded path is no file. */
function fileOf(request: FastifyRequest): string {
  return pathOf(request).slice(1);
}

import { createHash } from "node:crypto";
import type { Operation } from "../../api-contract/operation.ts";
import { OPERATIONS } from "../../api-contract/operations.ts";
import { componentSchemas, type JsonSchema, querySchema, requestSchema } from "./openapi-schemas.ts";

const STYLE = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem 1.25rem 4rem}
a{color:LinkText;text-underline-offset:.15em}
section:target>h3{background:Mark;color:MarkText}
section{overflow-x:auto}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{overflow-x:auto;padding:.75rem;border:1px solid #8886;border-radius:4px}
h2{margin-top:2.5rem;border-top:1px solid #8886;padding-top:1rem}
h3{margin-top:2rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8883}
.ours{font-size:.8rem;border:1px solid #8886;border-radius:4px;padding:0 .4rem;margin-left:.5rem}
`;

/** Only this page's own style: no script, no image, no other host. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

/** Text with `code` in backticks. */
function prose(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** What a schema accepts, in a few words. */
function typeText(schema: JsonSchema): string {
  const { enum: values, type, items, anyOf } = schema;
  if (Array.isArray(values)) return values.join(" · ");
  if (Array.isArray(anyOf)) {
    const others = (anyOf as readonly JsonSchema[]).filter((each) => each.type !== "null");
    return others.map(typeText).join(" or ");
  }
  if (type === "array") return `array of ${typeText((items ?? {}) as JsonSchema)}`;
  if (Array.isArray(type)) return type.filter((each) => each !== "null").join(" or ");
  return typeof type === "string" ? type : "object";
}

function fieldRows(schema: JsonSchema, path: string): string {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {})
    .map(([name, field]) => {
      const note = typeof field["description"] === "string" ? field["description"] : "";
      const need = required.has(name) ? "" : " (optional)";
      const row = `<tr><td><code>${escaped(path + name)}</code></td><td>${escaped(typeText(field) + need)}</td><td>${prose(note)}</td></tr>`;
      const items = field["items"] as JsonSchema | undefined;
      return (
        row +
        (items?.properties === undefined ? fieldRows(field, `${path}${name}.`) : fieldRows(items, `${path}${name}[].`))
      );
    })
    .join("");
}

function fieldTable(title: string, schema: JsonSchema): string {
  const rows = fieldRows(schema, "");
  return rows === "" ? "" : `<h4>${title}</h4><table><tbody>${rows}</tbody></table>`;
}

function operationSection({
  name,
  method,
  path,
  summary,
  isOurs,
  query,
  body,
  bodyExample,
  content,
  bytes,
  list,
}: Operation): string {
  const ours = isOurs ? '<span class="ours">ours</span>' : "";
  const what = list === undefined ? "" : list === "paged" ? "a list, with <code>total</code>, of " : "a list of ";
  const example = bodyExample === undefined ? "" : `<pre>${escaped(JSON.stringify(bodyExample, undefined, 2))}</pre>`;
  return [
    `<section id="${name}"><h3><code>${method} ${escaped(path)}</code>${ours}</h3><p>${prose(summary)}</p>`,
    query === undefined ? "" : fieldTable("Query", { ...querySchema(query), required: [] }),
    body === undefined ? "" : fieldTable("Body", requestSchema(body)),
    example,
    `<p>Answers ${what}${content === undefined ? `<code>${bytes}</code>` : `<a href="#${content}">${content}</a>`}.</p></section>`,
  ].join("");
}

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

/** Calls on one thing together, reading before changing. */
function byPath(left: Operation, right: Operation): number {
  return left.path.localeCompare(right.path) || METHODS.indexOf(left.method) - METHODS.indexOf(right.method);
}

/** The published document as a page for people: plain HTML, made once. */
export function docsPage(): string {
  const operations = [...OPERATIONS].sort(byPath);
  const calls = operations.map(
    ({ name, method, path, summary }) =>
      `<tr><td><a href="#${name}"><code>${method} ${escaped(path)}</code></a></td><td>${prose(summary)}</td></tr>`,
  );
  const schemas = Object.entries(componentSchemas()).sort(([left], [right]) => left.localeCompare(right));
  const answers = schemas.map(([name]) => `<a href="#${name}">${name}</a>`).join(" · ");
  const objects = schemas.map(
    ([name, schema]) => `<section id="${name}"><h3>${name}</h3>${fieldTable("", schema)}</section>`,
  );
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fanfare API</title>`,
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body><h1>Fanfare API</h1>`,
    `<p>Every call exists under <code>/api/v2</code> and under <code>/api/fin-v2</code>. For programs: <a href="openapi.json">openapi.json</a>.</p>`,
    `<table><tbody>${calls.join("")}</tbody></table><p>What they answer: ${answers}</p>`,
    `<h2>Calls</h2>${operations.map(operationSection).join("")}`,
    `<h2>Answers</h2>${objects.join("")}</body></html>`,
  ].join("\n");
}

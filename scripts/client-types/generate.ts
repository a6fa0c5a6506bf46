// Makes src/client/api-types.ts from the OpenAPI document. `npm run check` and `npm run build` run it: it is never behind.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiTypes } from "./api-types.ts";

writeFileSync(join(import.meta.dirname, "..", "..", "src", "client", "api-types.ts"), await apiTypes());

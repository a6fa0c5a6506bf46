import type { components } from "../../client/api-types.ts";
import { oneOf, text } from "../commands/options.ts";
import { action, apiCommand, jsonText } from "./api-command.ts";
import { contentOf } from "./exit-codes.ts";
import { type Column, table, timeText } from "./table.ts";

type Key = components["schemas"]["AccessKey"];

const COLUMNS: readonly Column<Key>[] = [
  ["ACCESS KEY", ({ accessKey }) => accessKey],
  ["ROLE", ({ role }) => role],
  ["NAME", ({ name }) => name ?? ""],
  ["CREATED", ({ createdTime }) => timeText(createdTime)],
  ["LAST USED", ({ lastUsedTime }) => timeText(lastUsedTime)],
];

const list = action({
  words: [],
  about: "Lists access keys, without their secrets.",
  run: async ({ client, isJson }) => {
    const keys = await contentOf(client.GET("/access-keys"));
    return isJson ? jsonText(keys) : table(keys, COLUMNS);
  },
});

export const keysCommand = apiCommand("keys", "Access keys of the API.", {
  "": list,
  list,
  create: action({
    words: [],
    about: "Creates an access key. Only this answer has its secret.",
    options: {
      role: oneOf(["manager", "viewer"], "What it may do; default viewer."),
      name: text("any text", "What people call it."),
    },
    run: async ({ client, values, isJson }) => {
      const name = values.name === undefined ? {} : { name: values.name };
      const made = await contentOf(client.POST("/access-keys", { body: { role: values.role ?? "viewer", ...name } }));
      return isJson ? jsonText(made) : `Access key: ${made.accessKey}\nSecret key: ${made.secretKey}\n`;
    },
  }),
  delete: action({
    words: ["ACCESS_KEY"],
    about: "Revokes an access key: it stops working immediately.",
    run: async ({ client, words: [accessKey = ""] }) => {
      await contentOf(client.DELETE("/access-keys/{accessKey}", { params: { path: { accessKey } } }));
      return `${accessKey} is revoked.\n`;
    },
  }),
});

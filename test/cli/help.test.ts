import { expect, test } from "vitest";
import { helpText } from "../../src/app/config/help-text.ts";
import { COMMAND_NAMES } from "../../src/cli/command-line.ts";

test("the help names every command, and none that is not there", () => {
  const named = [...helpText().matchAll(/^ {7}fanfare ([a-z-]+)/gm)].map(([, name]) => name);
  expect([...new Set(named)].toSorted()).toEqual(COMMAND_NAMES.toSorted());
});

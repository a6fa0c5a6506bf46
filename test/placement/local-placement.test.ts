import { describe } from "vitest";
import { LocalPlacement } from "../../src/placement/local-placement.ts";
import { placementSuite } from "./placement-suite.ts";

describe("LocalPlacement", () => placementSuite(async (log) => new LocalPlacement(log)));

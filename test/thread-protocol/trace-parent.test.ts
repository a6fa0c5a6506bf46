import { expect, test } from "vitest";
import { parseTraceParent } from "../../src/thread-protocol/traces/trace-parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = { traceId: TRACE, spanId: SPAN };

test.each([
  [`00-${TRACE}-${SPAN}-01`, PARENT],
  [`00-${TRACE}-${SPAN}-03`, PARENT],
  [`00-${TRACE}-${SPAN}-00`, "unsampled"],
  [`01-${TRACE}-${SPAN}-01-more`, PARENT],
  [`00-${TRACE}-${SPAN}-01-more`, undefined],
  [`ff-${TRACE}-${SPAN}-01`, undefined],
  [`00-${"0".repeat(32)}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${SPAN}`, undefined],
  [`01-${TRACE}-${SPAN}-01-${"x".repeat(300)}`, undefined],
  ["", undefined],
  [undefined, undefined],
])("traceparent %s", (text, parent) => {
  expect(parseTraceParent(text)).toEqual(parent);
});

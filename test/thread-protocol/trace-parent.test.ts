import { expect, test } from "vitest";
import { parseTraceParent, traceParentText } from "../../src/thread-protocol/traces/trace-parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const PARENT = { traceId: TRACE, spanId: SPAN, isSampled: true };

test.each([
  [`00-${TRACE}-${SPAN}-01`, PARENT],
  [`00-${TRACE}-${SPAN}-03`, PARENT],
  [`00-${TRACE}-${SPAN}-00`, { ...PARENT, isSampled: false }],
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
  [["00"], undefined],
])("traceparent %s", (text, parent) => {
  expect(parseTraceParent(text)).toEqual(parent);
});

test.each([true, false])("what is written is read again (sampled: %s)", (isSampled) => {
  const parent = { ...PARENT, isSampled };
  expect(parseTraceParent(traceParentText(parent))).toEqual(parent);
});

export { codecName } from "../base/codec-names.ts";

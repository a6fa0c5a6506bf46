import { language } from "../../text/text.ts";
import { en } from "./words-en.ts";
import { ko } from "./words-ko.ts";

/** The texts of alerts, which are loaded with them. */
export const words = (): typeof en => (language.value === "ko" ? ko : en);

import { render } from "preact";
import { App } from "./app.tsx";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/forms.css";
import "./style/chart.css";
import "./style/pages.css";
import "./style/platform.css";
import "./style/overview.css";
import "./style/narrow.css";
import { readSession } from "./base/read-session.ts";
import { startRouter } from "./base/router.ts";
import { startTheme } from "./base/theme.ts";
import { startTexts } from "./text/text.ts";

/** How long to wait before the page reloads when its texts could not be loaded, in milliseconds. */
const RELOAD_MS = 3_000;

startTheme();
startRouter();
void readSession();
const root = document.getElementById("app");
if (root !== null) {
  startTexts().then(
    () => render(<App />, root),
    () => setTimeout(() => location.reload(), RELOAD_MS),
  );
}

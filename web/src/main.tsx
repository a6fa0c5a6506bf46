import { render } from "preact";
import { App } from "./app.tsx";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";
import { startRouter } from "./router.ts";
import { readSession } from "./session.ts";
import { startTheme } from "./theme.ts";

startTheme();
startRouter();
void readSession();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);

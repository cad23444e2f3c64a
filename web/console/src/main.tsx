// The operators' console: one page, served by the program at its admin port.
import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/pages.css";
import { App } from "./app";
import { resume } from "./lib/session";

void resume();
render(<App />, document.getElementById("app")!);

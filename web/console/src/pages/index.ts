// All pages in the order of the menu. One is shown where the program has a route that it needs.
import type { FunctionComponent } from "preact";
import type { Part } from "../lib/session";
import type { IconName } from "../ui/icons";
import { AlertsPage } from "./alerts";
import { ConfigPage } from "./config";
import { KeysPage } from "./keys";
import { ModelsPage } from "./models";
import { OverviewPage } from "./overview";
import { PlaygroundPage } from "./playground";
import { PrivacyPage } from "./privacy";
import { TestsPage } from "./tests";
import { TracesPage } from "./traces";
import { UsagePage } from "./usage";

export const groups = ["Watch", "Try", "Manage"] as const;

export interface PageEntry {
  path: string;
  title: string;
  group: (typeof groups)[number];
  icon: IconName;
  needs: Part[]; // one of these
  full?: boolean; // for keys that may change things
  show: FunctionComponent;
}

export const pages: PageEntry[] = [
  { path: "overview", title: "Overview", group: "Watch", icon: "overview", needs: ["overview"], show: OverviewPage },
  { path: "traces", title: "Traces", group: "Watch", icon: "traces", needs: ["traces"], show: TracesPage },
  { path: "usage", title: "Usage and cost", group: "Watch", icon: "usage", needs: ["usage"], show: UsagePage },
  { path: "alerts", title: "Alerts", group: "Watch", icon: "alerts", needs: ["alerts"], show: AlertsPage },
  {
    path: "playground",
    title: "Playground",
    group: "Try",
    icon: "playground",
    needs: ["playground"],
    full: true,
    show: PlaygroundPage,
  },
  { path: "tests", title: "Test cases", group: "Try", icon: "flask", needs: ["tests"], show: TestsPage },
  { path: "privacy", title: "Privacy", group: "Try", icon: "privacy", needs: ["pii"], show: PrivacyPage },
  { path: "keys", title: "Keys", group: "Manage", icon: "keys", needs: ["keys"], show: KeysPage },
  {
    path: "models",
    title: "Models and providers",
    group: "Manage",
    icon: "models",
    needs: ["models", "engine", "providers"],
    show: ModelsPage,
  },
  { path: "config", title: "Configuration", group: "Manage", icon: "config", needs: ["config"], show: ConfigPage },
];

// Without a path the first page there is.
export const pageAt = (list: PageEntry[], path: string | undefined) =>
  path === undefined ? list[0] : list.find((page) => page.path === path);

// The shell around the pages: who is signed in, where one can go, what is shown.
import { Component, type ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { mayChange, session } from "./lib/api";
import { draft, isUnsaved } from "./lib/draft";
import { useLoad } from "./lib/load";
import { place } from "./lib/router";
import { has, readStatus, signOut, status } from "./lib/session";
import type { Alerts } from "./lib/types";
import { groups, pageAt, pages, type PageEntry } from "./pages";
import { SignIn } from "./pages/sign-in";
import { Badge, Button, Empty, Loading, Note, Page } from "./ui/basics";
import { Icon, Logo } from "./ui/icons";
import { switchTheme, theme } from "./ui/theme";
import { Toasts } from "./ui/toasts";

export function App() {
  if (session.value === undefined) return <Loading />;
  return (
    <>
      {session.value === null ? <SignIn /> : <Shell />}
      <Toasts />
    </>
  );
}

const there = () => pages.filter((page) => page.needs.some(has) && (!page.full || mayChange()));

function Shell() {
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const path = place.value.path.join("/");
  const first = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
    scrollTo(0, 0);
  }, [path]);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && readStatus(), 15_000);
    return () => clearInterval(timer);
  }, []);
  const list = there();
  const page = pageAt(list, place.value.path[0]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <div class="shell" onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
        <div class="topbar">
          <Button tone="quiet" icon="menu" label="Menu" aria-expanded={open} onClick={() => setOpen(!open)} />
          <a class="brand" href="#/">
            <Logo />
            Causeway
          </a>
          <ThemeButton />
        </div>
        {open && <div class="veil" onClick={() => setOpen(false)} />}
        <Side list={list} page={page} open={open} />
        <main id="main" ref={main} tabIndex={-1}>
          {page ? (
            <Guard key={path}>
              <page.show key={page.path} />
            </Guard>
          ) : (
            <Nowhere />
          )}
        </main>
      </div>
    </>
  );
}

function Side({ list, page, open }: { list: PageEntry[]; page?: PageEntry; open: boolean }) {
  const alerts = useLoad<Alerts>(has("alerts") ? "/api/alerts" : null, 10);
  const firing = alerts.data?.active.filter((alert) => !alert.silenced_until).length ?? 0;
  return (
    <div class={open ? "side open" : "side"}>
      <a class="brand" href="#/">
        <Logo />
        Causeway
      </a>
      <nav aria-label="Pages">
        {groups.map((group) => {
          const inside = list.filter((entry) => entry.group === group);
          return (
            inside.length > 0 && (
              <div key={group}>
                <h2>{group}</h2>
                {inside.map((entry) => (
                  <a key={entry.path} href={`#/${entry.path}`} aria-current={entry === page ? "page" : undefined}>
                    <Icon name={entry.icon} />
                    {entry.title}
                    {entry.path === "config" && isUnsaved(draft()) && (
                      <span class="count">
                        <Badge tone="warn">unsaved</Badge>
                      </span>
                    )}
                    {entry.path === "alerts" && firing > 0 && (
                      <span class="count">
                        <Badge tone="bad">
                          {firing}
                          <span class="unseen"> active</span>
                        </Badge>
                      </span>
                    )}
                  </a>
                ))}
              </div>
            )
          );
        })}
      </nav>
      <Who />
    </div>
  );
}

function Who() {
  const now = status.value;
  return (
    <footer>
      {now && (now.draining || !now.ready) && <Badge tone="warn">{now.draining ? "shutting down" : "not ready"}</Badge>}
      {now?.config_problems && has("config") && (
        <a href="#/config">
          <Badge tone="bad">configuration refused</Badge>
        </a>
      )}
      <div class="who">
        <b title={session.value?.actor}>{session.value?.actor}</b>
        <Badge tone={mayChange() ? "accent" : "plain"}>{mayChange() ? "full" : "read-only"}</Badge>
      </div>
      <div class="row">
        <ThemeButton />
        <Button small tone="quiet" icon="out" onClick={() => void signOut()}>
          Sign out
        </Button>
      </div>
      {now && <small class="faint">Causeway {now.version}</small>}
    </footer>
  );
}

function ThemeButton() {
  return (
    <Button
      small
      tone="quiet"
      icon={theme.value.dark ? "sun" : "moon"}
      label={theme.value.dark ? "Light colours" : "Dark colours"}
      onClick={switchTheme}
    />
  );
}

// A page that breaks says so, and the others go on working.
class Guard extends Component<{ children: ComponentChildren }, { broken?: Error }> {
  override componentDidCatch(broken: Error) {
    console.error(broken);
    this.setState({ broken });
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <Page title="Something broke">
        <Note tone="bad" alert>
          <b>This page could not be drawn.</b>
          <code>{this.state.broken.message}</code>
        </Note>
        <div class="row">
          <Button icon="again" onClick={() => location.reload()}>
            Load the console again
          </Button>
        </div>
      </Page>
    );
  }
}

function Nowhere() {
  return (
    <Page title="Not here">
      <div class="card">
        <Empty title="There is no such page">The menu shows what this program has, and what your key may see.</Empty>
      </div>
    </Page>
  );
}

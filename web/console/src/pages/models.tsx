import { call, mayChange } from "../lib/api";
import { bytes, compact, number, percent, words } from "../lib/format";
import { useLoad } from "../lib/load";
import { link } from "../lib/router";
import { has } from "../lib/session";
import type { EngineModel, Model, Provider } from "../lib/types";
import { Badge, Button, Card, Empty, Page, Shown, type Tone } from "../ui/basics";
import { Table } from "../ui/table";
import { attempt } from "../ui/toasts";
import { Members } from "./members";
import { Waiting } from "./waiting";

export function ModelsPage() {
  return (
    <Page
      title="Models and providers"
      about="What applications may ask for, who answers, and the models that this program runs itself."
    >
      {has("models") && <Models />}
      {has("providers") && <Providers />}
      {has("overload") && <Waiting />}
      {has("engine") && <Engine />}
    </Page>
  );
}

const traces = (search: Record<string, string>) => (has("traces") ? link("traces", search) : undefined);
const target = (name: string) => (
  <a key={name} href={traces({ target: name })}>
    <Badge wrap>{name}</Badge>
  </a>
);

function Models() {
  const models = useLoad<{ models: Model[] }>("/api/models", 30);
  return (
    <Card
      title="Models"
      about="Names from the configuration come first; the others name a provider and what it offers."
      flush
    >
      <Shown of={models}>
        {(data) =>
          data.models.length === 0 ? (
            <Empty title="There is no model" icon="models">
              Add a provider and a model to the configuration.
            </Empty>
          ) : (
            <Table
              label="Models"
              rows={data.models.toSorted((a, b) => Number(!!a.provider) - Number(!!b.provider))}
              id={(row) => row.name}
              columns={[
                { name: "Model", show: (row) => <a href={traces({ model: row.name })}>{row.name}</a> },
                { name: "Answered by", show: (row) => <span class="row tight">{row.targets.map(target)}</span> },
                { name: "Choice of target", show: (row) => (row.targets.length > 1 ? row.strategy : "") },
                has("playground") &&
                  mayChange() && {
                    name: "",
                    right: true,
                    show: (row: Model) => (
                      <a class="nowrap" href={link("playground", { models: row.name })}>
                        Try it
                      </a>
                    ),
                  },
              ]}
            />
          )
        }
      </Shown>
    </Card>
  );
}

const STATES: Record<string, Tone> = {
  ok: "good",
  degraded: "warn",
  failing: "bad",
  ready: "good",
  starting: "info",
  fetching: "info",
  failed: "bad",
  absent: "warn",
};

function Providers() {
  const providers = useLoad<{ providers: Provider[] }>("/api/providers", 15);
  return (
    <>
      <Card title="Providers" about="Attempts and errors of the last hour." flush>
        <Shown of={providers}>
          {(data) =>
            data.providers.length === 0 ? (
              <Empty title="There is no provider" icon="models" />
            ) : (
              <Table
                label="Providers"
                rows={data.providers}
                id={(row) => row.name}
                columns={[
                  {
                    name: "Provider",
                    show: (row) => (
                      <div>
                        <a href={traces({ target: `${row.name}/*` })}>{row.name}</a>
                        <div>
                          <small class="faint">{row.base_url}</small>
                        </div>
                      </div>
                    ),
                  },
                  { name: "State", show: (row) => <Badge tone={STATES[row.state] ?? "plain"}>{row.state}</Badge> },
                  { name: "Kind", show: (row) => row.kind },
                  { name: "Zone", show: (row) => row.zone },
                  { name: "Attempts", right: true, show: (row) => compact(row.last_hour.attempts) },
                  {
                    name: "Failed",
                    right: true,
                    show: (row) =>
                      row.last_hour.attempts
                        ? `${compact(row.last_hour.errors)} (${percent(row.last_hour.errors / row.last_hour.attempts)})`
                        : "0",
                  },
                  {
                    name: "Errors",
                    show: (row) =>
                      Object.entries(row.last_hour.errors_by_class).length > 0 && (
                        <span class="row tight">
                          {Object.entries(row.last_hour.errors_by_class).map(([name, count]) => (
                            <Badge key={name} tone="bad">
                              {words(name)} {count}
                            </Badge>
                          ))}
                        </span>
                      ),
                  },
                ]}
              />
            )
          }
        </Shown>
      </Card>
      {providers.data && <Members providers={providers.data.providers} />}
    </>
  );
}

function Engine() {
  const engine = useLoad<{ models: EngineModel[] }>("/api/engine", 2);
  return (
    <Shown of={engine}>
      {(data) =>
        data.models.length > 0 && (
          <section class="stack" aria-labelledby="engine">
            <h2 id="engine">Models that this program runs</h2>
            <div class="grid even">
              {data.models.map((model) => (
                <Local key={model.name} model={model} again={engine.reload} />
              ))}
            </div>
          </section>
        )
      }
    </Shown>
  );
}

function Local({ model, again }: { model: EngineModel; again: () => void }) {
  const act = (action: string, done: string) =>
    attempt(() => call("POST", `/api/engine/${encodeURIComponent(model.name)}/${action}`, {}), done).then(again);
  const fetching = model.state === "fetching";
  const working = ["fetching", "starting", "stopping"].includes(model.state);
  return (
    <Card
      title={model.name}
      about={model.about}
      actions={<Badge tone={STATES[model.state] ?? "plain"}>{words(model.state)}</Badge>}
    >
      <div class="stack">
        {model.reason && <p class="soft">{model.reason}</p>}
        {fetching && (
          <div>
            <progress
              aria-label={`Fetching ${model.name}`}
              max={model.fetch_total_bytes || undefined}
              value={model.fetch_total_bytes ? model.fetched_bytes : undefined}
            />
            <small class="soft number">
              {bytes(model.fetched_bytes)}
              {model.fetch_total_bytes > 0 && ` of ${bytes(model.fetch_total_bytes)}`}
            </small>
          </div>
        )}
        {working && !fetching && (
          <div>
            <progress aria-label={`Loading ${model.name}`} />
            <small class="soft">{words(model.state)}…</small>
          </div>
        )}
        <dl class="facts lines">
          <dt>Kind</dt>
          <dd>{model.kind}</dd>
          {model.slots_total > 0 && (
            <>
              <dt>Slots busy</dt>
              <dd class="number">
                {model.slots_busy} of {model.slots_total}
                {model.waiting > 0 && ` · ${model.waiting} waiting`}
              </dd>
            </>
          )}
          {model.memory_mib > 0 && (
            <>
              <dt>Memory</dt>
              <dd class="number">{number(model.memory_mib)} MiB</dd>
            </>
          )}
          {model.requests_total > 0 && (
            <>
              <dt>Answered</dt>
              <dd class="number">
                <a href={traces({ target: `*/${model.name}` })}>{compact(model.requests_total)} requests</a> ·{" "}
                {number(model.tokens_per_second)} tokens/s
              </dd>
            </>
          )}
          {model.restarts > 0 && (
            <>
              <dt>Restarts</dt>
              <dd class="number">{model.restarts}</dd>
            </>
          )}
          {model.file && (
            <>
              <dt>File</dt>
              <dd class="number">
                {bytes(model.file_bytes)} · {model.licence}
              </dd>
            </>
          )}
          <dt>Context</dt>
          <dd class="number">{number(model.context)} tokens</dd>
        </dl>
        {mayChange() && (
          <div class="row">
            {model.state === "ready" ? (
              <Button onClick={() => act("unload", `Unloading ${model.name}`)}>Unload</Button>
            ) : model.file ? (
              <Button tone="main" disabled={working} onClick={() => act("load", `Loading ${model.name}`)}>
                Load
              </Button>
            ) : (
              <Button tone="main" icon="down" disabled={working} onClick={() => act("pull", `Fetching ${model.name}`)}>
                Fetch
              </Button>
            )}
          </div>
        )}
        {model.log.length > 0 && (
          <details>
            <summary>Last lines of its log</summary>
            <pre class="code" tabIndex={0}>
              {model.log.join("\n")}
            </pre>
          </details>
        )}
      </div>
    </Card>
  );
}

import { link, place, setWords } from "../lib/router";
import { useLoad } from "../lib/load";
import { compact, isoTime, milliseconds, money, number, percent, span } from "../lib/format";
import { has } from "../lib/session";
import type { Alerts, Overview } from "../lib/types";
import { Badge, Bars, Card, Choice, Empty, Note, Page, Shown, Stat } from "../ui/basics";
import { ChartCard } from "../ui/chart";
import { Table } from "../ui/table";
import { useMemo } from "preact/hooks";

const WINDOWS = ["15m", "1h", "6h", "24h", "7d"] as const;
type Window = (typeof WINDOWS)[number];

export function OverviewPage() {
  const window = (WINDOWS.find((one) => one === place.value.words.window) ?? "1h") as Window;
  const overview = useLoad<Overview>(`/api/overview?window=${window}`, window === "7d" || window === "24h" ? 60 : 5);
  return (
    <Page
      title="Overview"
      about="What applications ask for, how fast it is answered, and what it costs."
      actions={
        <>
          <Badge tone="good">
            <span class="dot live" /> live
          </Badge>
          <Choice label="Time" value={window} of={WINDOWS} set={(value) => setWords({ window: value })} />
        </>
      }
    >
      {has("alerts") && <ActiveAlerts />}
      <Shown of={overview}>{(data) => <Numbers data={data} window={window} />}</Shown>
    </Page>
  );
}

function ActiveAlerts() {
  const alerts = useLoad<Alerts>("/api/alerts", 15);
  const active = alerts.data?.active.filter((alert) => !alert.silenced_until) ?? [];
  if (!active.length) return null;
  return (
    <Note tone={active.some((alert) => alert.severity === "page") ? "bad" : "warn"}>
      <b>{active.length === 1 ? active[0].summary : `${active.length} alerts are active`}</b>
      <a href={link("alerts")}>See why, and what to do</a>
    </Note>
  );
}

const seconds: Record<Window, number> = { "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800 };

function Numbers({ data, window }: { data: Overview; window: Window }) {
  const { totals, currency } = data;
  const traces = (words: Record<string, string | number> = {}) =>
    has("traces") ? link("traces", { since: window, ...words }) : undefined;
  const usage = has("usage") ? link("usage") : undefined;
  return (
    <>
      <div class="stats">
        <Stat
          name="Requests"
          href={traces()}
          value={compact(totals.requests)}
          more={`${compact(totals.requests / (seconds[window] / 60))}/min · ${totals.in_flight} in flight`}
        />
        <Stat
          name="Errors"
          href={traces({ errors: 1 })}
          value={percent(totals.requests ? totals.errors / totals.requests : 0)}
          more={`${compact(totals.errors)} of ${compact(totals.requests)}`}
        />
        <Stat
          name="Answer, p95"
          href={traces({ min_ms: Math.floor(totals.p95_ms ?? 0) })}
          value={milliseconds(totals.p95_ms)}
          more={`median ${milliseconds(totals.p50_ms)}`}
        />
        <Stat
          name="First token, p95"
          href={traces()}
          value={milliseconds(totals.first_token_p95_ms)}
          more={`median ${milliseconds(totals.first_token_p50_ms)}`}
        />
        <Stat
          name="Tokens"
          href={usage}
          value={compact(totals.input_tokens + totals.output_tokens)}
          more={`${compact(totals.input_tokens)} in · ${compact(totals.output_tokens)} out`}
        />
        <Stat name="Cost" href={usage} value={money(totals.cost, currency)} more={`over ${span(seconds[window])}`} />
      </div>
      <Charts data={data} traces={traces} />
      <div class="grid">
        <Errors data={data} traces={traces} />
        <Models data={data} traces={traces} />
        <Providers data={data} traces={traces} />
      </div>
    </>
  );
}

// Names that nobody configured are counted together: no filter finds them.
const OTHERS = "other";
const NameLink = ({ name, href }: { name: string; href?: string }) =>
  name === OTHERS ? <span class="soft">all others</span> : <a href={href}>{name || "(none)"}</a>;

type Behind = (words?: Record<string, string | number>) => string | undefined;

function Charts({ data, traces }: { data: Overview; traces: Behind }) {
  const made = useMemo(() => seriesOf(data, traces), [data]);
  const sum = (values: (number | null)[]) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  const whole: [number, number] = [data.from, Math.max(data.now, data.points.at(-1)?.t ?? 0)];
  const common = {
    times: made.times,
    span: whole,
    behind: has("traces")
      ? (from: number, to: number) => link("traces", { since: isoTime(from), until: isoTime(to) })
      : undefined,
  };
  return (
    <div class="grid even">
      <ChartCard
        title="Requests"
        about={`Every ${span(data.step_seconds)}. Drag over a stretch to see its traces.`}
        {...common}
        stacked
        format={compact}
        total={sum}
        series={made.requests}
        nothing="Applications have asked for nothing. The playground, or a first request with curl, fills this."
      />
      <ChartCard
        title="Time to the whole answer"
        about="Of those that were answered."
        {...common}
        format={milliseconds}
        series={made.latency}
      />
      <ChartCard
        title="Time to the first token"
        about="Of streams."
        {...common}
        format={milliseconds}
        series={made.first}
      />
      <ChartCard
        title="Tokens"
        about="As providers counted them."
        {...common}
        stacked
        format={compact}
        total={sum}
        series={made.tokens}
      />
      <ChartCard
        title="Cost"
        about={data.currency}
        {...common}
        stacked
        format={(value) => money(value, data.currency)}
        total={sum}
        series={made.cost}
        nothing="No answer had a price. Prices of models stand in the configuration and in the catalogue."
      />
    </div>
  );
}

function seriesOf(data: Overview, traces: Behind) {
  const { points } = data;
  return {
    times: points.map((point) => point.t),
    requests: [
      { name: "errors", color: 0, values: points.map((point) => point.errors), href: traces({ errors: 1 }) },
      {
        name: "answered",
        color: 1,
        values: points.map((point) => Math.max(0, point.requests - point.errors)),
        href: traces(),
      },
    ],
    latency: [
      { name: "median", values: points.map((point) => point.p50_ms) },
      { name: "p95", values: points.map((point) => point.p95_ms) },
      { name: "p99", values: points.map((point) => point.p99_ms) },
    ],
    first: [
      { name: "median", values: points.map((point) => point.first_token_p50_ms) },
      { name: "p95", values: points.map((point) => point.first_token_p95_ms) },
    ],
    tokens: [
      { name: "input", values: points.map((point) => point.input_tokens) },
      { name: "output", color: 3, values: points.map((point) => point.output_tokens) },
    ],
    cost: [{ name: "cost", color: 4, values: points.map((point) => point.cost) }],
  };
}

function Errors({ data, traces }: { data: Overview; traces: Behind }) {
  const classes = Object.entries(data.totals.errors_by_class).sort((a, b) => b[1] - a[1]);
  return (
    <Card title="Errors by class">
      {classes.length === 0 ? (
        <Empty title="No errors" icon="check">
          Nothing went wrong in this time.
        </Empty>
      ) : (
        <Bars
          bad
          of={classes.map(([name, value]) => ({
            name: <NameLink name={name} href={traces({ error: name })} />,
            value,
            text: number(value),
          }))}
        />
      )}
    </Card>
  );
}

function Models({ data, traces }: { data: Overview; traces: Behind }) {
  return (
    <Card title="Models" flush>
      {data.models.length === 0 ? (
        <Empty title="No model was asked" icon="models" />
      ) : (
        <Table
          label="Models"
          rows={data.models}
          id={(row) => row.model}
          columns={[
            { name: "Model", show: (row) => <NameLink name={row.model} href={traces({ model: row.model })} /> },
            { name: "Requests", right: true, show: (row) => compact(row.requests) },
            {
              name: "Errors",
              right: true,
              show: (row) =>
                row.errors && row.model !== OTHERS ? <a href={traces({ model: row.model, errors: 1 })}>{compact(row.errors)}</a> : compact(row.errors),
            },
            { name: "p95", right: true, show: (row) => milliseconds(row.p95_ms) },
            { name: "Cost", right: true, show: (row) => money(row.cost, data.currency) },
          ]}
        />
      )}
    </Card>
  );
}

function Providers({ data, traces }: { data: Overview; traces: Behind }) {
  return (
    <Card title="Providers" flush>
      {data.providers.length === 0 ? (
        <Empty title="No provider was called" icon="models" />
      ) : (
        <Table
          label="Providers"
          rows={data.providers}
          id={(row) => row.provider}
          columns={[
            {
              name: "Provider",
              show: (row) => <NameLink name={row.provider} href={traces({ target: `${row.provider}/*` })} />,
            },
            { name: "Attempts", right: true, show: (row) => compact(row.attempts) },
            {
              name: "Failed",
              right: true,
              show: (row) =>
                row.errors && row.provider !== OTHERS ? (
                  <a href={traces({ failed_target: `${row.provider}/*` })}>{compact(row.errors)}</a>
                ) : (
                  compact(row.errors)
                ),
            },
            { name: "Share failed", right: true, show: (row) => percent(row.attempts ? row.errors / row.attempts : 0) },
          ]}
        />
      )}
    </Card>
  );
}

import { useMemo } from "preact/hooks";
import { query } from "../lib/api";
import { compact, day, isoTime, milliseconds, money, number } from "../lib/format";
import { useLoad } from "../lib/load";
import { link, place, setWords } from "../lib/router";
import { has } from "../lib/session";
import type { UsageRow } from "../lib/types";
import { Button, Card, Choice, Empty, Note, Page, Shown, Stat } from "../ui/basics";
import { ChartCard } from "../ui/chart";
import { Text } from "../ui/fields";
import { Table, type Column } from "../ui/table";

const BY = [
  ["model", "Model"],
  ["key", "Key"],
  ["tenant", "Tenant"],
  ["provider", "Provider"],
  ["day", "Day"],
] as const;
type By = (typeof BY)[number][0];
const SHOW = [
  ["cost", "Cost"],
  ["tokens", "Tokens"],
  ["requests", "Requests"],
] as const;
type Show = (typeof SHOW)[number][0];

interface Usage {
  currency: string;
  complete: boolean;
  usage: UsageRow[];
}

const before = (days: number) => day(new Date(Date.now() - days * 86_400_000));

export function UsagePage() {
  const words = place.value.words;
  const by = (BY.find(([one]) => one === words.by)?.[0] ?? "model") as By;
  const from = words.from ?? before(29);
  const filters = {
    from,
    to: words.to,
    key: words.key,
    tenant: words.tenant,
    model: words.model,
    provider: words.provider,
  };
  const table = useLoad<Usage>(`/api/usage${query({ by, ...filters })}`, 30);
  const days = useLoad<Usage>(`/api/usage${query({ by: by === "day" ? "day" : `day,${by}`, ...filters })}`, 60);
  return (
    <Page
      title="Usage and cost"
      about="What the ledger holds: every request that was settled, by whom and for how much. Days are UTC."
      actions={
        <>
          <Choice label="Group by" value={by} of={BY} set={(value) => setWords({ by: value })} />
          {table.data && table.data.usage.length > 0 && (
            <Button icon="down" onClick={() => saveCsv(table.data!, by)}>
              CSV
            </Button>
          )}
        </>
      }
    >
      <Filters from={from} />
      <Shown of={table}>
        {(data) => (
          <>
            <Sums data={data} />
            {days.data && <PerDay data={days.data} by={by} />}
            <Rows data={data} by={by} from={from} to={words.to} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function Filters({ from }: { from: string }) {
  const { words } = place.value;
  const text = (name: string, label: string) => (
    <Text key={name} label={label} value={words[name] ?? ""} set={(value) => setWords({ [name]: value })} />
  );
  return (
    <Card class="filters">
      <div class="fields">
        <Text label="From" type="date" value={from} set={(value) => setWords({ from: value })} />
        <Text label="To" type="date" value={words.to ?? ""} set={(value) => setWords({ to: value })} />
        {text("key", "Key")}
        {text("tenant", "Tenant")}
        {text("model", "Model")}
        {text("provider", "Provider")}
      </div>
    </Card>
  );
}

const total = (rows: UsageRow[], of: (row: UsageRow) => number) => rows.reduce((sum, row) => sum + of(row), 0);
const costOf = (row: UsageRow) => Number(row.cost ?? 0);
const tokensOf = (row: UsageRow) => row.input_tokens + row.output_tokens;

function Sums({ data }: { data: Usage }) {
  const rows = data.usage;
  const unpriced = total(rows, (row) => row.unpriced_requests);
  return (
    <div class="stats">
      <Stat
        name="Cost"
        value={rows.some((row) => row.cost != null) || !unpriced ? money(total(rows, costOf), data.currency) : "–"}
        more={unpriced ? `${compact(unpriced)} requests without a price` : "all requests have a price"}
      />
      <Stat
        name="Requests"
        value={compact(total(rows, (row) => row.requests))}
        more={`${compact(total(rows, (row) => row.failed_requests))} failed`}
      />
      <Stat name="Tokens in" value={compact(total(rows, (row) => row.input_tokens))} />
      <Stat name="Tokens out" value={compact(total(rows, (row) => row.output_tokens))} />
    </div>
  );
}

const nameOf = (row: UsageRow, by: By) => (by === "day" ? "all" : row[by] || (by === "key" && row.key_id) || "(none)");

function PerDay({ data, by }: { data: Usage; by: By }) {
  const show = (SHOW.find(([one]) => one === place.value.words.show)?.[0] ??
    (data.usage.some(costOf) ? "cost" : "tokens")) as Show;
  const chart = useMemo(() => perDay(data.usage, by, show), [data, by, show]);
  const format = show === "cost" ? (value: number | null | undefined) => money(value, data.currency) : compact;
  const sum = (values: (number | null)[]) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  return (
    <ChartCard
      title="By day"
      about={<Choice label="Show" value={show} of={SHOW} set={(value) => setWords({ show: value })} />}
      times={chart.times}
      series={chart.series}
      behind={has("traces") ? (from, to) => link("traces", { since: isoTime(from), until: isoTime(to) }) : undefined}
      days
      format={format}
      total={sum}
      height={220}
    />
  );
}

// A line for each of the seven largest, and one for the rest; days without use are zero.
function perDay(rows: UsageRow[], by: By, show: Show) {
  const value = (row: UsageRow) => (show === "cost" ? costOf(row) : show === "tokens" ? tokensOf(row) : row.requests);
  const dates = rows
    .map((row) => row.day!)
    .filter(Boolean)
    .sort();
  if (!dates.length) return { times: [], series: [] };
  const first = Math.min(Date.parse(dates[0]), Date.parse(dates.at(-1)!) - 6 * 86_400_000); // a week at least
  const count = Math.round((Date.parse(dates.at(-1)!) - first) / 86_400_000) + 1;
  const times = Array.from({ length: count }, (_, at) => first / 1000 + at * 86_400);
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(nameOf(row, by), (sums.get(nameOf(row, by)) ?? 0) + value(row));
  const names = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const shown = names.slice(0, 7);
  const lines = new Map(
    [...shown, ...(names.length > 7 ? ["the others"] : [])].map((name) => [name, new Array<number>(count).fill(0)]),
  );
  for (const row of rows) {
    const line = lines.get(nameOf(row, by)) ?? lines.get("the others")!;
    line[Math.round((Date.parse(row.day!) - first) / 86_400_000)] += value(row);
  }
  return { times, series: [...lines].map(([name, values]) => ({ name, values })) };
}

function Rows({ data, by, from, to }: { data: Usage; by: By; from: string; to?: string }) {
  if (!data.usage.length)
    return (
      <Card>
        <Empty title="Nothing was used" icon="usage">
          No request of these days fits. Requests stand here a second after their end.
        </Empty>
      </Card>
    );
  const traces = (row: UsageRow) => {
    if (!has("traces")) return undefined;
    if (by === "day") return link("traces", { since: `${row.day}T00:00:00Z`, until: `${row.day}T23:59:59Z` });
    const word = by === "provider" ? { target: `${row.provider}/*` } : { [by]: by === "key" ? row.key_id : row[by] };
    return link("traces", { ...word, since: `${from}T00:00:00Z`, until: to ? `${to}T23:59:59Z` : undefined });
  };
  const rows =
    by === "day"
      ? data.usage.toSorted((a, b) => (b.day ?? "").localeCompare(a.day ?? ""))
      : data.usage.toSorted((a, b) => costOf(b) - costOf(a) || tokensOf(b) - tokensOf(a));
  const columns: Column<UsageRow>[] = [
    {
      name: BY.find(([one]) => one === by)![1],
      show: (row) => <a href={traces(row)}>{by === "day" ? row.day : nameOf(row, by)}</a>,
    },
    { name: "Requests", right: true, show: (row) => number(row.requests) },
    { name: "Failed", right: true, show: (row) => number(row.failed_requests) },
    { name: "Tokens in", right: true, show: (row) => number(row.input_tokens) },
    { name: "Tokens out", right: true, show: (row) => number(row.output_tokens) },
    {
      name: "Mean time",
      right: true,
      show: (row) => milliseconds(row.mean_seconds == null ? null : row.mean_seconds * 1000),
    },
    { name: "Cost", right: true, show: (row) => money(row.cost, data.currency) },
  ];
  return (
    <Card flush title="In numbers">
      {!data.complete && <Note tone="warn">There is more than is shown here: narrow the days or the filters.</Note>}
      <Table
        label="Usage"
        rows={rows}
        id={(row) => nameOf(row, by) + (row.key_id ?? "") + (row.day ?? "")}
        columns={columns}
      />
    </Card>
  );
}

// What begins like a formula is made text, so that no spreadsheet runs a name that somebody chose.
export function csvCell(value: unknown): string {
  const text = value == null ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function saveCsv(data: Usage, by: By): void {
  const names = [
    ...(by === "key" ? ["key", "key_id"] : [by]),
    "requests",
    "failed_requests",
    "input_tokens",
    "output_tokens",
    "cost",
    "unpriced_requests",
    "mean_seconds",
  ];
  const lines = data.usage.map((row) =>
    names.map((name) => csvCell((row as unknown as Record<string, unknown>)[name])).join(","),
  );
  const text =
    [[...names.map((name) => (name === "cost" ? `cost_${data.currency}` : name))].join(","), ...lines].join("\r\n") +
    "\r\n";
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = `causeway-usage-by-${by}.csv`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

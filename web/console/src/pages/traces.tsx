import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { get, mayChange, query } from "../lib/api";
import { clock, compact, milliseconds, money, words as said } from "../lib/format";
import { asError, useLoad, useQuiet } from "../lib/load";
import { go, link, place } from "../lib/router";
import type { ApiError } from "../lib/api";
import type { Trace, TraceList } from "../lib/types";
import { Badge, Button, Card, CopyButton, Empty, Page, Problem, Loading, type Tone } from "../ui/basics";
import { Check, Select, Text } from "../ui/fields";
import { Table } from "../ui/table";
import { TracePage } from "./trace";

export function TracesPage() {
  const [, id] = place.value.path;
  return id ? <TracePage key={id} id={id} /> : <TraceListPage />;
}

const FIRST = ["model", "key", "error", "target"] as const;
const MORE = [
  "failed_target",
  "tenant",
  "user",
  "policy",
  "status",
  "code",
  "found",
  "dialect",
  "operation",
  "min_ms",
  "min_cost",
  "id",
] as const;
const NAMES: Record<string, string> = {
  failed_target: "Target that failed",
  min_ms: "At least ms",
  min_cost: "At least cost",
  id: "Request or trace id",
  found: "Found (kind)",
  code: "Error code",
  error: "Error class",
};
const SINCE = [
  ["", "Any time"],
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["24h", "Last day"],
  ["7d", "Last 7 days"],
] as const;

export const toneOf = (trace: Trace): Tone =>
  trace.error || trace.status >= 400 ? (trace.status >= 500 || trace.status === 0 ? "bad" : "warn") : "good";

function TraceListPage() {
  const words = place.value.words;
  const [live, setLive] = useState(false);
  const filters = query(words);
  const found = useTraces(filters);
  useTail(live, filters, found.add);
  const columns = [
    {
      name: "Time",
      nowrap: true,
      show: (row: Trace) => <a href={link(["traces", row.request_id])}>{clock(row.started_ms)}</a>,
    },
    { name: "Status", nowrap: true, show: (row: Trace) => <StatusBadge trace={row} /> },
    { name: "Model", show: (row: Trace) => <Names main={row.model || "–"} more={row.attempts.at(-1)?.target} /> },
    {
      name: "Key",
      show: (row: Trace) => (
        <Names main={row.key || "–"} more={row.tenant && row.tenant !== "default" ? row.tenant : row.user} />
      ),
    },
    {
      name: "Took",
      right: true,
      show: (row: Trace) => (
        <Names
          main={milliseconds(row.total_us / 1000)}
          more={row.stream && row.first_content_us ? `first ${milliseconds(row.first_content_us / 1000)}` : ""}
        />
      ),
    },
    {
      name: "Tokens",
      right: true,
      show: (row: Trace) => `${compact(row.input_tokens)} / ${compact(row.output_tokens)}`,
    },
    { name: "Cost", right: true, show: (row: Trace) => money(row.cost) },
    { name: "Found", show: (row: Trace) => row.found.length > 0 && <Found of={row.found} /> },
  ];
  return (
    <Page
      title="Traces"
      about="What happened to each request: who asked, which way it went, what every stage decided."
      actions={
        <>
          <Button icon={live ? "stop" : "play"} aria-pressed={live} onClick={() => setLive(!live)}>
            {live ? "Stop following" : "Follow live"}
          </Button>
          <CopyButton small={false} label="Copy link" text={() => location.href} />
        </>
      }
    >
      <Filters />
      {found.error && <Problem error={found.error} again={found.again} />}
      <Card
        flush
        busy={found.loading}
        title={
          <>
            {live && <span class="dot live" />} {found.traces.length}
            {found.next ? " or more" : ""} {found.traces.length === 1 ? "trace" : "traces"}
          </>
        }
      >
        {found.loading && !found.traces.length ? (
          <Loading />
        ) : found.traces.length === 0 && !found.error ? (
          <Empty title="No trace fits" icon="traces">
            {Object.keys(words).length
              ? "Take away a filter, or look further back."
              : "Requests appear here as soon as applications make them."}
          </Empty>
        ) : (
          <Table
            label="Traces"
            still
            rows={found.traces}
            id={(row) => row.id}
            columns={columns}
            rowClass={(row) => (found.fresh.has(row.id) ? "fresh" : undefined)}
          />
        )}
        {found.next && (
          <div class="row more">
            <Button onClick={found.more} disabled={found.loading}>
              Show more
            </Button>
          </div>
        )}
      </Card>
    </Page>
  );
}

export const StatusBadge = ({ trace }: { trace: Trace }) => (
  <Badge tone={toneOf(trace)}>
    {trace.status || "–"}
    {trace.error ? ` ${trace.code ?? trace.error}` : trace.cut_by_client ? " caller left" : ""}
  </Badge>
);

const Names = ({ main, more }: { main: string; more?: string }) => (
  <div>
    <div>{main}</div>
    {more && <small class="faint">{more}</small>}
  </div>
);

// The kinds of personal data, the most frequent first.
function Found({ of }: { of: Trace["found"] }) {
  const kinds = [...new Set(of.toSorted((a, b) => b.count - a.count).map((one) => one.kind))];
  return (
    <span class="row tight">
      {kinds.slice(0, 2).map((kind) => (
        <Badge key={kind} tone="info">
          {said(kind)}
        </Badge>
      ))}
      {kinds.length > 2 && <small class="faint">+{kinds.length - 2}</small>}
    </span>
  );
}

function Filters() {
  const words = place.value.words;
  const [typed, setTyped] = useState(words);
  const quiet = useQuiet(typed, 100);
  useEffect(() => setTyped(words), [place.value]);
  useEffect(() => {
    if (query(quiet) !== query(place.value.words)) go("traces", quiet, true);
  }, [quiet]);
  const set = (name: string) => (value: string) => setTyped((old) => ({ ...old, [name]: value }));
  const choose = (name: string, value: string) => go("traces", { ...typed, [name]: value }, true);
  const field = (name: string) => (
    <Text
      key={name}
      label={NAMES[name] ?? name[0].toUpperCase() + name.slice(1)}
      value={typed[name] ?? ""}
      set={set(name)}
    />
  );
  // That any target failed is said by its box already.
  const more = MORE.filter((name) => words[name] && !(name === "failed_target" && words[name] === "*")).length;
  const since = SINCE.some(([value]) => value === (typed.since ?? ""))
    ? SINCE
    : [...SINCE, [typed.since!, `Since ${typed.since}`] as const];
  return (
    <Card class="filters">
      <div class="fields">
        <Select label="Time" value={typed.since ?? ""} of={since} set={(value) => choose("since", value)} />
        {FIRST.map(field)}
        {typed.until && field("until")}
        {mayChange() && (
          <Text label="Words" value={typed.contains ?? ""} set={set("contains")} placeholder="in contents" />
        )}
      </div>
      <div class="row">
        <Check label="Only errors" value={typed.errors === "1"} set={(on) => choose("errors", on ? "1" : "")} />
        <Check
          label="Only with failed tries"
          value={!!typed.failed_target}
          set={(on) => choose("failed_target", on ? "*" : "")}
        />
        <details open={more > 0}>
          <summary>More filters{more ? ` (${more})` : ""}</summary>
          <div class="stack tight">
            <div class="fields">{MORE.map(field)}</div>
            <small class="faint">
              A star stands for any text: <code>gpt-*</code>.
            </small>
          </div>
        </details>
        {Object.keys(words).length > 0 && (
          <Button small tone="quiet" icon="close" onClick={() => go("traces", {}, true)}>
            Clear filters
          </Button>
        )}
      </div>
    </Card>
  );
}

interface Found {
  traces: Trace[];
  fresh: Set<string>;
  next: string | null;
  error?: ApiError;
  loading: boolean;
  more: () => void;
  again: () => void;
  add: (traces: Trace[]) => void;
}

const PAGE = 50;
const FOLLOWED = 100; // rows while it follows; who wants older ones asks for more

interface Listed {
  traces: Trace[];
  next: string | null;
  fresh: Set<string>;
}

function useTraces(filters: string): Found {
  const path = `/api/traces${filters ? `${filters}&` : "?"}limit=${PAGE}`;
  const first = useLoad<TraceList>(path);
  const [listed, setListed] = useState<Listed>({ traces: [], next: null, fresh: new Set() });
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<ApiError>();
  useLayoutEffect(() => {
    if (!first.data) return;
    setListed({ traces: first.data.traces, next: first.data.next, fresh: new Set() });
    setFailed(undefined);
  }, [first.data]);
  const more = async () => {
    setBusy(true);
    try {
      const page = await get<TraceList>(`${path}&cursor=${listed.next}`);
      setListed((old) => ({ ...old, traces: [...old.traces, ...page.traces], next: page.next }));
    } catch (error) {
      setFailed(asError(error));
    }
    setBusy(false);
  };
  const add = (come: Trace[]) =>
    setListed((old) => {
      const known = new Set(old.traces.map((one) => one.id));
      const newest = come.filter((one) => !known.has(one.id)).reverse();
      const traces = [...newest, ...old.traces].slice(0, FOLLOWED);
      const cut = traces.length < newest.length + old.traces.length;
      const isFresh = (one: Trace) => !known.has(one.id) || old.fresh.has(one.id);
      const fresh = new Set(traces.filter(isFresh).map((one) => one.id));
      return { traces, next: cut ? traces.at(-1)!.id : old.next, fresh };
    });
  return {
    ...listed,
    more,
    loading: first.loading || busy,
    error: first.error ?? failed,
    again: first.reload,
    add,
  };
}

const REST = 500; // ms between two looks: eyes need no more

// Waits at the program for what ends, as long as this is on.
function useTail(on: boolean, filters: string, add: (traces: Trace[]) => void): void {
  useEffect(() => {
    if (!on) return;
    const gone = new AbortController();
    const follow = async () => {
      const rest = filters
        .replace(/([?&])(since|until)=[^&]*&?/g, "$1")
        .replace(/^\?/, "&")
        .replace(/&$/, "");
      let { after } = await get<{ after: string }>("/api/traces/tail", gone.signal);
      while (!gone.signal.aborted) {
        const come = await get<{ traces: Trace[]; after: string }>(
          `/api/traces/tail?after=${after}&wait=20s&limit=200${rest}`,
          gone.signal,
        );
        after = come.after;
        if (come.traces.length) add(come.traces);
        await new Promise((resolve) => setTimeout(resolve, REST));
      }
    };
    const keep = async () => {
      while (!gone.signal.aborted) {
        await follow().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    };
    void keep();
    return () => gone.abort();
  }, [on, filters]);
}

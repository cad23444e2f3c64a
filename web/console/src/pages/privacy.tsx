import { useMemo, useState } from "preact/hooks";
import { call, query, type ApiError } from "../lib/api";
import { compact, isoTime, words } from "../lib/format";
import { asError, useLoad } from "../lib/load";
import { link, place, setWords } from "../lib/router";
import { has } from "../lib/session";
import type { History, Trace, TraceList } from "../lib/types";
import { Badge, Bars, Button, Card, Choice, Empty, Page, Problem, Shown } from "../ui/basics";
import { ChartCard } from "../ui/chart";
import { Area, Check } from "../ui/fields";
import { Table } from "../ui/table";

const WINDOWS = ["1h", "6h", "24h", "7d"] as const;
type Window = (typeof WINDOWS)[number];

export function PrivacyPage() {
  const window = (WINDOWS.find((one) => one === place.value.words.window) ?? "24h") as Window;
  return (
    <Page
      title="Privacy"
      about="Which personal data was found in requests, and what was done about it. Never whose: only kinds and numbers are kept."
      actions={
        (has("traces") || has("history")) && (
          <Choice label="Time" value={window} of={WINDOWS} set={(value) => setWords({ window: value })} />
        )
      }
    >
      {has("history") && <OverTime window={window} />}
      {has("traces") && <ByKind window={window} />}
      <Scan />
    </Page>
  );
}

function OverTime({ window }: { window: Window }) {
  const found = useLoad<History>(`/api/history?metric=causeway_pii_findings_total&by=kind&window=${window}`, 30);
  const sum = (values: (number | null)[]) => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  const chart = useMemo(() => {
    const { series = [], from = 0, step_seconds: step = 10 } = found.data ?? {};
    const length = Math.max(1, ...series.map((one) => one.values.length));
    const lines = series.map(({ labels, values }) => ({
      name: labels.other ? "the others" : words(labels.kind ?? "all"),
      values,
      href: labels.kind && has("traces") ? link("traces", { found: labels.kind, since: window }) : undefined,
    }));
    return {
      times: Array.from({ length }, (_, at) => from + at * step),
      span: [from, from + (length - 1) * step] as [number, number],
      lines: lines.sort((a, b) => sum(b.values) - sum(a.values)).slice(0, 8),
    };
  }, [found.data]);
  return (
    <Shown of={found}>
      {() => (
        <ChartCard
          title="Found over time"
          about="By kind, in all requests."
          times={chart.times}
          span={chart.span}
          series={chart.lines}
          behind={
            has("traces")
              ? (from, to) => link("traces", { found: "*", since: isoTime(from), until: isoTime(to) })
              : undefined
          }
          stacked
          format={compact}
          total={sum}
          nothing="No personal data was found in requests of this time, or no policy looks for it."
        />
      )}
    </Shown>
  );
}

interface Count {
  kind: string;
  action: string;
  policy: string;
  count: number;
  requests: number;
}

const MOST = 1000;

function countsOf(traces: Trace[]): Count[] {
  const counts = new Map<string, Count>();
  for (const trace of traces) {
    for (const found of trace.found) {
      const name = JSON.stringify([found.kind, found.action, trace.policy]);
      const count = counts.get(name) ?? {
        kind: found.kind,
        action: found.action,
        policy: trace.policy,
        count: 0,
        requests: 0,
      };
      count.count += found.count;
      count.requests++;
      counts.set(name, count);
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

function ByKind({ window }: { window: Window }) {
  const traces = useLoad<TraceList>(`/api/traces${query({ found: "*", since: window, limit: MOST })}`, 30);
  const counts = useMemo(() => countsOf(traces.data?.traces ?? []), [traces.data]);
  const kinds = new Map<string, number>();
  for (const one of counts) kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + one.count);
  const to = (search: Record<string, string>) => link("traces", { since: window, ...search });
  return (
    <Shown of={traces}>
      {(data) => (
        <div class="grid">
          <Card title="By kind" about={data.next ? `From the newest ${MOST} traces with findings.` : undefined}>
            {kinds.size === 0 ? (
              <Empty title="Nothing was found" icon="privacy">
                Policies look for personal data where they say <code>pii: mask</code>, <code>block</code> or{" "}
                <code>report</code>.
              </Empty>
            ) : (
              <Bars
                of={[...kinds]
                  .sort((a, b) => b[1] - a[1])
                  .map(([kind, value]) => ({
                    name: <a href={to({ found: kind })}>{words(kind)}</a>,
                    value,
                    text: compact(value),
                  }))}
              />
            )}
          </Card>
          {counts.length > 0 && (
            <Card title="By policy" flush>
              <Table
                label="Findings by policy"
                rows={counts}
                id={(row) => `${row.policy} ${row.kind} ${row.action}`}
                columns={[
                  {
                    name: "Policy",
                    show: (row) => <a href={to({ policy: row.policy, found: "*" })}>{row.policy || "(none)"}</a>,
                  },
                  {
                    name: "Kind",
                    show: (row) => <a href={to({ policy: row.policy, found: row.kind })}>{words(row.kind)}</a>,
                  },
                  {
                    name: "Done",
                    show: (row) => <Badge tone={row.action === "block" ? "warn" : "info"}>{words(row.action)}</Badge>,
                  },
                  { name: "Found", right: true, show: (row) => compact(row.count) },
                  { name: "Requests", right: true, show: (row) => compact(row.requests) },
                ]}
              />
            </Card>
          )}
        </div>
      )}
    </Shown>
  );
}

interface Finding {
  begin: number;
  end: number;
  kind: string;
  confidence: number;
  rule: string;
}

function Scan() {
  const [text, setText] = useState("");
  const [model, setModel] = useState(false);
  const [shown, setShown] = useState<{ text: string; findings: Finding[] } | null>(null);
  const [error, setError] = useState<ApiError>();
  const scan = async () => {
    setError(undefined);
    try {
      const answer = await call<{ findings: Finding[] }>("POST", "/api/pii/scan", model ? { text, model } : { text });
      setShown({ text, findings: answer.findings });
    } catch (failed) {
      setShown(null);
      setError(asError(failed));
    }
  };
  return (
    <Card
      title="Try a text"
      about="What would be found in it. The text goes no further than this program, and is not kept."
    >
      <div class="stack">
        <Area
          label="Text"
          rows={4}
          value={text}
          set={setText}
          placeholder="Dear Ms Kowalska, your card 4111 1111 1111 1111 …"
        />
        <div class="row">
          <Button tone="main" disabled={!text} onClick={scan}>
            Look through it
          </Button>
          <Check label="Ask the names model as well" value={model} set={setModel} />
        </div>
        {error && <Problem error={error} />}
        {shown && <Findings {...shown} />}
      </div>
    </Card>
  );
}

// Places are counted in bytes of UTF-8.
function pieces(text: string, findings: Finding[]): { text: string; finding?: Finding }[] {
  const bytes = new TextEncoder().encode(text);
  const decode = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  const out: { text: string; finding?: Finding }[] = [];
  let at = 0;
  for (const finding of findings.toSorted((a, b) => a.begin - b.begin)) {
    if (finding.begin < at) continue;
    out.push({ text: decode(at, finding.begin) }, { text: decode(finding.begin, finding.end), finding });
    at = finding.end;
  }
  out.push({ text: decode(at, bytes.length) });
  return out;
}

function Findings({ text, findings }: { text: string; findings: Finding[] }) {
  return (
    <div class="stack" role="status">
      <p class="soft">
        {findings.length === 0
          ? "Nothing was found."
          : findings.length === 1
            ? "One finding:"
            : `${findings.length} findings:`}
      </p>
      <div class="said scanned">
        {pieces(text, findings).map((piece, index) =>
          piece.finding ? (
            <mark key={index} title={`${words(piece.finding.kind)}, ${piece.finding.rule}`}>
              {piece.text} <small>{words(piece.finding.kind)}</small>
            </mark>
          ) : (
            piece.text
          ),
        )}
      </div>
      {findings.length > 0 && (
        <Table
          label="Findings"
          rows={findings}
          id={(row) => `${row.begin} ${row.kind}`}
          columns={[
            { name: "Kind", show: (row) => words(row.kind) },
            { name: "Sure", right: true, show: (row) => `${Math.round(row.confidence * 100)} %` },
            { name: "Rule", show: (row) => <code>{row.rule}</code> },
          ]}
        />
      )}
    </div>
  );
}

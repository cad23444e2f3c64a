import { useState } from "preact/hooks";
import { call, mayChange } from "../lib/api";
import { ago, full, number, percent, words } from "../lib/format";
import { useKeyNames } from "../lib/key-names";
import { useLoad } from "../lib/load";
import { link } from "../lib/router";
import { has } from "../lib/session";
import type { Alert, Alerts, Receiver } from "../lib/types";
import { Badge, Button, Card, Empty, Page, Shown, type Tone } from "../ui/basics";
import { Dialog, Text } from "../ui/fields";
import { Table } from "../ui/table";
import { attempt, say } from "../ui/toasts";

const TONES: Record<string, Tone> = {
  page: "bad",
  ticket: "warn",
  info: "info",
  ok: "good",
  pending: "warn",
  firing: "bad",
  no_data: "plain",
};

export function AlertsPage() {
  const alerts = useLoad<Alerts>("/api/alerts", 10);
  const [silencing, setSilencing] = useState<Alert | null>(null);
  return (
    <Page title="Alerts" about="What needs somebody: since when, why, and what to do about it.">
      <Shown of={alerts}>
        {(data) => (
          <>
            {data.active.length === 0 && (
              <Card>
                <Empty title="All is well" icon="check">
                  No alert is active.{" "}
                  {data.rules.length > 0
                    ? `${data.rules.length} rules are watched, below.`
                    : "The configuration has no rules: see alerts in the reference."}
                </Empty>
              </Card>
            )}
            {data.active.map((alert) => (
              <Active key={alert.id} alert={alert} silence={() => setSilencing(alert)} />
            ))}
            {data.silences.length > 0 && <Silences data={data} again={alerts.reload} />}
            {data.recent.length > 0 && <Recent data={data} />}
            {data.rules.length > 0 && <Rules data={data} />}
            {!!data.receivers?.length && <Receivers of={data.receivers} />}
          </>
        )}
      </Shown>
      {silencing && (
        <SilenceDialog
          alert={silencing}
          close={() => setSilencing(null)}
          done={() => {
            setSilencing(null);
            alerts.reload();
          }}
        />
      )}
    </Page>
  );
}

// The alert's own link: the query of the list of traces behind it.
function tracesOf(alert: Alert): string | undefined {
  const found = alert.links?.traces;
  if (!found || !has("traces")) return undefined;
  return link("traces", Object.fromEntries(new URLSearchParams(found.slice(found.indexOf("?") + 1))));
}

function Active({ alert, silence }: { alert: Alert; silence: () => void }) {
  const traces = tracesOf(alert);
  const told = alert.value_text !== undefined && alert.summary.includes(alert.value_text);
  return (
    <Card
      class={`alert alert-${alert.severity}`}
      title={alert.summary}
      actions={
        <>
          <Badge tone={TONES[alert.severity]}>{alert.severity}</Badge>
          {alert.silenced_until && <Badge>silent until {full(alert.silenced_until)}</Badge>}
        </>
      }
    >
      <div class="stack">
        <p class="soft">
          Since <span title={full(alert.since)}>{ago(alert.since)}</span> · rule {alert.rule}
          {!told && ` · ${alert.value_text ?? number(alert.value)}, limit ${alert.limit_text ?? number(alert.limit)}`}
        </p>
        {alert.cause.length > 0 && (
          <ul class="stack tight">
            {alert.cause.map((one, index) => (
              <li key={index}>
                <Badge tone="info">
                  {words(one.kind)} {one.name}
                </Badge>{" "}
                {one.text !== `${words(one.kind)} ${one.name}` && one.text}
                {one.share > 0 && <span class="faint"> ({percent(one.share)})</span>}
              </li>
            ))}
          </ul>
        )}
        {alert.advice && <p>{alert.advice}</p>}
        <div class="row">
          {traces && (
            <a class="button" href={traces}>
              Traces behind it
            </a>
          )}
          {mayChange() && !alert.silenced_until && <Button onClick={silence}>Silence</Button>}
        </div>
      </div>
    </Card>
  );
}

function Silences({ data, again }: { data: Alerts; again: () => void }) {
  const nameOf = useKeyNames();
  const end = (id: string) =>
    attempt(() => call("DELETE", `/api/alerts/silences/${encodeURIComponent(id)}`), "The silence has ended").then(
      again,
    );
  return (
    <Card title="Silences" flush>
      <Table
        label="Silences"
        rows={data.silences}
        id={(row) => row.id}
        columns={[
          { name: "Rule", show: (row) => row.rule },
          { name: "Until", nowrap: true, show: (row) => full(row.until) },
          { name: "By", show: (row) => nameOf(row.by) },
          { name: "Note", show: (row) => row.note },
          mayChange() && {
            name: "",
            right: true,
            show: (row: Alerts["silences"][number]) => (
              <Button small onClick={() => end(row.id)}>
                End
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Recent({ data }: { data: Alerts }) {
  return (
    <Card title="Recent" flush>
      <Table
        label="Recent alerts"
        rows={data.recent}
        id={(row) => row.id}
        columns={[
          { name: "What", show: (row) => (tracesOf(row) ? <a href={tracesOf(row)}>{row.summary}</a> : row.summary) },
          { name: "Severity", show: (row) => <Badge tone={TONES[row.severity]}>{row.severity}</Badge> },
          { name: "Began", nowrap: true, show: (row) => full(row.since) },
          { name: "Ended", nowrap: true, show: (row) => (row.ended ? full(row.ended) : "") },
        ]}
      />
    </Card>
  );
}

function Rules({ data }: { data: Alerts }) {
  return (
    <Card title="Rules" flush>
      <Table
        label="Rules"
        rows={data.rules}
        id={(row) => row.name}
        columns={[
          { name: "Rule", show: (row) => <b>{row.name}</b> },
          { name: "Condition", show: (row) => <code>{row.condition}</code> },
          { name: "State", show: (row) => <Badge tone={TONES[row.state]}>{words(row.state)}</Badge> },
        ]}
      />
    </Card>
  );
}

function Receivers({ of }: { of: Receiver[] }) {
  const test = (name: string) =>
    attempt(() => call("POST", "/api/alerts/test", { receiver: name }), `A test message is on its way to ${name}`);
  return (
    <Card title="Receivers" about="Where messages go, and how many went there since the start." flush>
      <Table
        label="Receivers"
        rows={of}
        id={(row) => row.name}
        columns={[
          { name: "Receiver", show: (row) => <b>{row.name}</b> },
          { name: "Sent", right: true, show: (row) => number(row.sent) },
          { name: "Failed tries", right: true, show: (row) => number(row.failed) },
          { name: "Given up", right: true, show: (row) => number(row.given_up + row.dropped) },
          mayChange() && {
            name: "",
            right: true,
            show: (row: Receiver) => (
              <Button small aria-label={`Send a test to ${row.name}`} onClick={() => test(row.name)}>
                Send a test
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}

function SilenceDialog({ alert, close, done }: { alert: Alert; close: () => void; done: () => void }) {
  const [length, setLength] = useState("2h");
  const [note, setNote] = useState("");
  const submit = async () => {
    await call("POST", "/api/alerts/silences", { alert: alert.id, for: length.trim(), note });
    say("Silenced");
    done();
  };
  return (
    <Dialog title="Silence this alert" close={close} submit={submit} word="Silence">
      <p class="soft">{alert.summary}</p>
      <Text label="For" value={length} set={setLength} autofocus hint="30m, 2h, 1d, …" />
      <Text label="Note" value={note} set={setNote} placeholder="Why, and who is on it" />
    </Dialog>
  );
}

// One exchange: what every stage decided, the way to the answer, what was said.
import { useState } from "preact/hooks";
import { call, mayChange } from "../lib/api";
import { bytes, full, milliseconds, money, number, words } from "../lib/format";
import { useLoad } from "../lib/load";
import { link } from "../lib/router";
import { has } from "../lib/session";
import type { Trace } from "../lib/types";
import { Badge, Button, Card, CopyButton, Note, Page, Shown } from "../ui/basics";
import { Dialog, Text } from "../ui/fields";
import { AnswerView, Request } from "../ui/said";
import { Table } from "../ui/table";
import { say } from "../ui/toasts";
import { Replay, replayable } from "./replay";
import { StatusBadge } from "./traces";

export function TracePage({ id }: { id: string }) {
  const trace = useLoad<Trace>(`/api/traces/${encodeURIComponent(id)}`);
  const [marking, setMarking] = useState(false);
  const [replaying, setReplaying] = useState(false);
  const may = mayChange() && trace.data?.contents?.request !== undefined;
  return (
    <Page
      title="Trace"
      about={
        <>
          <a href={link("traces")}>Traces</a> · <code>{id}</code>
        </>
      }
      actions={
        <>
          <CopyButton small={false} label="Copy link" text={() => location.href} />
          {may && has("tests") && (
            <Button icon="flask" onClick={() => setMarking(true)}>
              Mark as test case
            </Button>
          )}
          {may && has("playground") && trace.data && replayable(trace.data) && (
            <Button tone="main" icon="play" aria-expanded={replaying} onClick={() => setReplaying(!replaying)}>
              Replay
            </Button>
          )}
        </>
      }
    >
      <Shown of={trace}>
        {(data) => (
          <>
            <Facts trace={data} />
            {data.error && (
              <Note tone={data.status >= 500 ? "bad" : "warn"}>
                <b>
                  {words(data.error)}
                  {data.code && data.code !== data.error ? `: ${data.code}` : ""}
                </b>
                <span>{endedBy(data)}</span>
              </Note>
            )}
            {replaying && <Replay trace={data} />}
            <Way trace={data} />
            <Said trace={data} />
          </>
        )}
      </Shown>
      {marking && trace.data && <MarkDialog trace={trace.data} close={() => setMarking(false)} />}
    </Page>
  );
}

function endedBy(trace: Trace): string {
  const stage = trace.stages.find((one) => one.ended);
  if (stage) return `The stage “${stage.stage}” ended it; nothing was sent to a provider after that.`;
  return trace.attempts.length
    ? "No target answered; each attempt is listed below."
    : "It ended before a target was chosen.";
}

function Facts({ trace }: { trace: Trace }) {
  const to = (name: string, value: string) => <a href={link("traces", { [name]: value })}>{value}</a>;
  return (
    <Card>
      <dl class="facts">
        <div>
          <dt>Status</dt>
          <dd>
            <StatusBadge trace={trace} />
          </dd>
        </div>
        <div>
          <dt>When</dt>
          <dd>{full(trace.started_ms)}</dd>
        </div>
        <div>
          <dt>Took</dt>
          <dd class="number">
            <b>{milliseconds(trace.total_us / 1000)}</b>
            {trace.first_content_us > 0 && (
              <span class="soft"> · first content {milliseconds(trace.first_content_us / 1000)}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd>
            {trace.model ? to("model", trace.model) : "–"}
            {trace.rule && <span class="soft"> · rule {trace.rule}</span>}
          </dd>
        </div>
        <div>
          <dt>Target</dt>
          <dd>
            {trace.attempts.length ? to("target", trace.attempts.at(-1)!.target) : "none"}
            {trace.targets.length > 1 && <small class="soft"> of {trace.targets.join(", ")}</small>}
            {trace.confidence !== undefined && <span class="soft"> · confidence {trace.confidence}</span>}
          </dd>
        </div>
        <div>
          <dt>Key</dt>
          <dd>{trace.key ? to("key", trace.key) : "none"}</dd>
        </div>
        <div>
          <dt>Tenant{trace.user && ", user"}</dt>
          <dd>
            {trace.tenant ? to("tenant", trace.tenant) : "–"}
            {trace.user && <> · {to("user", trace.user)}</>}
          </dd>
        </div>
        <div>
          <dt>Policy</dt>
          <dd>{trace.policy ? to("policy", trace.policy) : "–"}</dd>
        </div>
        <div>
          <dt>Tokens</dt>
          <dd class="number">
            {number(trace.input_tokens)} in · {number(trace.output_tokens)} out
            {trace.estimated && <span class="faint"> (estimated)</span>}
          </dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd class="number">{money(trace.cost)}</dd>
        </div>
        <div>
          <dt>Operation</dt>
          <dd>
            {trace.operation || "–"} · {trace.dialect}
            {trace.stream && " · streamed"}
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd class="number">
            {bytes(trace.request_bytes)} in · {bytes(trace.answer_bytes)} out
          </dd>
        </div>
      </dl>
    </Card>
  );
}

interface Step {
  id: string;
  name: string;
  kind: "stage" | "attempt";
  verdict: preact.ComponentChildren;
  from: number; // microseconds
  took: number;
}

function stepsOf(trace: Trace): Step[] {
  let at = 0;
  const steps: Step[] = trace.stages.map((stage, index) => {
    const took = stage.ns / 1000;
    const step: Step = {
      id: `s${index}`,
      name: stage.stage,
      kind: "stage",
      verdict: stageVerdict(trace, stage),
      from: at,
      took,
    };
    at += took;
    return step;
  });
  for (const [index, attempt] of trace.attempts.entries()) {
    const good = attempt.end === "answered" || attempt.end === "stored";
    const verdict = (
      <>
        <Badge tone={good ? "good" : attempt.end === "unsure" ? "warn" : "bad"}>{words(attempt.end)}</Badge>{" "}
        {good && attempt.answering_model && <span class="soft">by {attempt.answering_model}</span>}
        {!good && (
          <span class="soft">
            {[attempt.status, attempt.error && words(attempt.error), attempt.code].filter(Boolean).join(" · ")}
          </span>
        )}
      </>
    );
    steps.push({
      id: `a${index}`,
      name: `call ${attempt.target}`,
      kind: "attempt",
      verdict,
      from: at,
      took: attempt.us,
    });
    at += attempt.us;
  }
  return steps;
}

function stageVerdict(trace: Trace, stage: Trace["stages"][number]) {
  const found = trace.found.filter((one) => one.stage === stage.stage);
  return (
    <>
      {stage.ended ? <Badge tone="warn">ended it</Badge> : found.length === 0 && <span class="faint">passed</span>}
      {found.map((one, index) => (
        <a key={index} href={link("traces", { found: one.kind })}>
          <Badge tone="info">
            {words(one.action)} {one.count} × {words(one.kind)}
          </Badge>
        </a>
      ))}
    </>
  );
}

const SLOW_CALLER_US = 1000; // below, it is the network's usual

function waits(trace: Trace): string {
  const parts = [];
  if (trace.upstream_us) parts.push(`${milliseconds(trace.upstream_us / 1000)} until a provider began to answer`);
  if (trace.queued_us) parts.push(`${milliseconds(trace.queued_us / 1000)} in line for a place at a target`);
  if (trace.caller_us >= SLOW_CALLER_US)
    parts.push(`${milliseconds(trace.caller_us / 1000)} waiting for the caller to send or to read`);
  return parts.length ? ` Of ${milliseconds(trace.total_us / 1000)}, it took ${parts.join(", ")}.` : "";
}

function Way({ trace }: { trace: Trace }) {
  const steps = stepsOf(trace);
  const whole = Math.max(trace.total_us, ...steps.map((step) => step.from + step.took), 1);
  const bar = (step: Step) => (
    <div class="lane" aria-hidden="true">
      <i
        class={step.kind}
        style={{ left: `${(100 * step.from) / whole}%`, width: `max(2px, ${(100 * step.took) / whole}%)` }}
      />
    </div>
  );
  return (
    <Card
      title="The way of the request"
      flush
      about={`Every stage and every attempt, in order.${waits(trace)}`}
    >
      <Table
        kind="way"
        label="Stages and attempts"
        rows={steps}
        id={(step) => step.id}
        columns={[
          { name: "Step", show: (step) => (step.kind === "attempt" ? <b>{step.name}</b> : step.name) },
          { name: "Verdict", show: (step) => <span class="row tight">{step.verdict}</span> },
          { name: "Time", right: true, show: (step) => milliseconds(step.took / 1000) },
          { name: "When", show: bar },
        ]}
      />
    </Card>
  );
}

function Said({ trace }: { trace: Trace }) {
  const said = trace.contents;
  if (!said)
    return (
      <Card title="What was said">
        <p class="soft">{whyNothing(trace)}</p>
      </Card>
    );
  const channel = (name: string) =>
    said.answer
      ?.filter((one) => one.choice === 0 && one.channel === name)
      .map((one) => one.text)
      .join("\n") ?? "";
  const others =
    said.answer?.filter((one) => !["content", "reasoning"].includes(one.channel) || one.choice !== 0) ?? [];
  return (
    <div class="grid even">
      <Card title="Prompt, as it was sent" about="What the provider saw: stand-ins are still in it.">
        {said.request ? <Request text={said.request} cut={said.request_cut} /> : <p class="soft">None was kept.</p>}
      </Card>
      <Card
        title="Answer"
        about="As it came from the provider."
        actions={<CopyButton text={() => channel("content")} />}
      >
        <AnswerView answer={{ text: channel("content"), reasoning: channel("reasoning"), calls: [] }} />
        {others.map((one, index) => (
          <div key={index} class="stack tight">
            <Badge>
              {one.channel}
              {one.choice ? `, choice ${one.choice + 1}` : ""}
            </Badge>
            <div class="said">{one.text}</div>
          </div>
        ))}
        {!said.answer?.length && <p class="soft">There was none.</p>}
        {said.answer_cut && <Badge tone="warn">cut after 256 KiB</Badge>}
      </Card>
    </div>
  );
}

function whyNothing(trace: Trace): string {
  if (!trace.has_contents && !trace.attempts.length) return "The request was refused: nothing was sent, so nothing was kept.";
  if (!trace.has_contents)
    return "Contents were not kept: the policy does not ask for it (traces: { contents: on }), or the caller said no.";
  return mayChange() ? "The contents cannot be opened any more." : "Contents are shown to full admin keys only.";
}

function MarkDialog({ trace, close }: { trace: Trace; close: () => void }) {
  const [note, setNote] = useState("");
  const submit = async () => {
    await call("POST", "/api/test-cases", { trace: trace.request_id, note });
    say("Marked as a test case");
    close();
  };
  return (
    <Dialog title="Mark as test case" close={close} submit={submit} word="Mark">
      <p class="soft">The request and its answer are kept, sealed, after this trace has gone.</p>
      <Text label="Note" value={note} set={setNote} autofocus placeholder="What a good answer must do" />
    </Dialog>
  );
}

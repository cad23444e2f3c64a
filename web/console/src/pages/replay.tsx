// Sends a recorded request again, to the same model or another, and shows both answers side by side.
import { useMemo, useState } from "preact/hooks";
import { link } from "../lib/router";
import { milliseconds, money, number } from "../lib/format";
import { useLoad } from "../lib/load";
import { useRun } from "../lib/run";
import type { Contents, Model, Trace } from "../lib/types";
import { Badge, Button, Card, Problem } from "../ui/basics";
import { Check, Select } from "../ui/fields";
import { AnswerView, Difference } from "../ui/said";

// A trace, or a test case that was made of one.
export interface Recorded extends Partial<Pick<Trace, "total_us" | "input_tokens" | "output_tokens" | "cost">> {
  request_id: string;
  model: string;
  contents?: Contents | null;
}

// What was cut cannot be sent again; vectors are nothing to read.
export const replayable = (trace: Trace) =>
  !!trace.contents?.request && !trace.contents.request_cut && !trace.operation.startsWith("embed");

export function Replay({ trace }: { trace: Recorded }) {
  const models = useLoad<{ models: Model[] }>("/api/models");
  const [model, setModel] = useState(trace.model);
  const [marked, setMarked] = useState(false);
  const { run, start, stop } = useRun();
  const names = useMemo(
    () => [...new Set([trace.model, ...(models.data?.models.map((one) => one.name).filter((name) => !name.includes("*")) ?? [])])],
    [models.data],
  );
  const send = () => start({ trace: trace.request_id, model });
  const before =
    trace.contents?.answer
      ?.filter((one) => one.choice === 0 && one.channel === "content")
      .map((one) => one.text)
      .join("\n") ?? "";
  return (
    <Card
      title="Replay"
      about="The recorded request takes the whole way again, as this console's own request. It costs what any request costs."
    >
      <div class="row">
        <Select
          label="Model"
          value={model}
          of={names.map((name) => [name, name === trace.model ? `${name} (the same)` : name] as const)}
          set={setModel}
        />
        <div class="row below">
          {run.state === "running" ? (
            <Button icon="stop" onClick={stop}>
              Stop
            </Button>
          ) : (
            <Button tone="main" icon="play" onClick={() => void send()}>
              Send again
            </Button>
          )}
          {run.state === "done" && <Check label="Mark differences" value={marked} set={setMarked} />}
        </div>
      </div>
      <div class="grid even sides">
        <div class="side-by">
          <header>
            <h3>{trace.model}</h3>
            <Badge>then</Badge>
            {trace.total_us !== undefined && (
              <Numbers
                ms={trace.total_us / 1000}
                input={trace.input_tokens}
                output={trace.output_tokens}
                cost={trace.cost}
              />
            )}
          </header>
          <AnswerView answer={{ text: before, reasoning: "", calls: [] }} />
        </div>
        <div class="side-by" aria-live="polite" aria-busy={run.state === "running"}>
          <header>
            <h3>{model}</h3>
            <Badge tone="accent">now</Badge>
            {run.state === "done" && (
              <Numbers
                ms={run.totalMs}
                input={run.answer.input}
                output={run.answer.output}
                cost={run.fields["x-causeway-cost"] ?? run.answer.cost}
              />
            )}
            {run.requestId && <a href={link(["traces", run.requestId])}>its trace</a>}
          </header>
          {run.error && <Problem error={run.error} />}
          {run.state === "idle" ? (
            <p class="faint">Not sent yet.</p>
          ) : marked && run.state === "done" ? (
            <Difference before={before} after={run.answer.text} gone />
          ) : (
            <AnswerView answer={run.answer} />
          )}
        </div>
      </div>
    </Card>
  );
}

const Numbers = (props: { ms?: number; input?: number; output?: number; cost?: number | string }) => (
  <small class="soft number">
    {milliseconds(props.ms)} · {number(props.input)} in · {number(props.output)} out
    {props.cost != null && ` · ${money(props.cost)}`}
  </small>
);

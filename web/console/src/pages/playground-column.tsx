// One model's side of the conversation.
import { useEffect, useRef, useState } from "preact/hooks";
import { milliseconds, money, number } from "../lib/format";
import { useLatest } from "../lib/load";
import { readConversation } from "../lib/conversation";
import { link } from "../lib/router";
import { useRun, type Run } from "../lib/run";
import { has } from "../lib/session";
import { Badge, Button, Empty, Problem } from "../ui/basics";
import { AnswerView, Difference, Request, Words } from "../ui/said";
import { bodyOf, callerOf, type Message, type PlaySettings } from "./playground-settings";

export interface ColumnHandle {
  send: (prompt: string, settings: PlaySettings) => void;
  stop: () => void;
  clear: () => void;
}

interface ColumnProps {
  model: string;
  names: string[];
  view: "answer" | "sent";
  set: (model: string) => void;
  close?: () => void;
  busy: (on: boolean) => void;
  handle: (made: ColumnHandle | null) => void;
}

interface Exchange {
  prompt: string;
  run: Run;
}

export function Column({ model, names, view, set, close, busy, handle }: ColumnProps) {
  const [past, setPast] = useState<Exchange[]>([]);
  const [prompt, setPrompt] = useState("");
  const { run, start, stop, clear } = useRun();
  const latest = useLatest({ past, prompt, run, model });
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const send = async (text: string, settings: PlaySettings) => {
      const now = latest.current;
      const before = now.prompt ? [...now.past, { prompt: now.prompt, run: now.run }] : now.past;
      setPast(before);
      setPrompt(text);
      busy(true);
      const body = bodyOf(settings, now.model, [...before.flatMap(messagesOf), { role: "user", content: text }]);
      await start({ path: "/v1/chat/completions", body, ...callerOf(settings) });
      busy(false);
    };
    const anew = () => {
      clear();
      setPast([]);
      setPrompt("");
    };
    handle({ send, stop, clear: anew });
    return () => handle(null);
  }, []);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [run.answer.text]);
  return (
    <section class="card column" aria-label={model}>
      <header>
        <select aria-label="Model" value={model} onChange={(event) => set(event.currentTarget.value)}>
          {[...new Set([model, ...names])].map((name) => (
            <option key={name} value={name} selected={name === model}>
              {name}
            </option>
          ))}
        </select>
        {close && <Button small tone="quiet" icon="close" label={`Remove ${model}`} onClick={close} />}
      </header>
      <div
        class="talk"
        tabIndex={0}
        role="log"
        aria-label={`Conversation with ${model}`}
        aria-busy={run.state === "running"}
      >
        {!prompt && <Empty title="Nothing asked yet" icon="playground" />}
        {[...past, ...(prompt ? [{ prompt, run }] : [])].map((one, index) => (
          <Exchanged key={index} {...one} view={view} />
        ))}
        <div ref={end} />
      </div>
      <Numbers run={run} />
    </section>
  );
}

function messagesOf({ prompt, run }: Exchange): Message[] {
  return run.answer.text
    ? [
        { role: "user", content: prompt },
        { role: "assistant", content: run.answer.text },
      ]
    : [{ role: "user", content: prompt }];
}

function Exchanged({ prompt, run, view }: Exchange & { view: "answer" | "sent" }) {
  return (
    <div class="stack">
      <div class="turn user">
        <span class="role">you</span>
        {view === "sent" ? <AsSent prompt={prompt} run={run} /> : <Words text={prompt} />}
      </div>
      <div class="turn assistant">
        <span class="role">answer{run.state === "running" && " …"}</span>
        {view === "answer" ? <AnswerView answer={run.answer} /> : <AsAnswered run={run} />}
        {run.error && <Problem error={run.error} />}
        {run.state === "stopped" && <Badge tone="warn">stopped</Badge>}
        {run.answer.stop === "length" && <Badge tone="warn">cut: token limit</Badge>}
      </div>
    </div>
  );
}

// The last words of the user as they left: what a policy replaced is marked.
function AsSent({ prompt, run }: { prompt: string; run: Run }) {
  if (!run.sent)
    return (
      <>
        <Words text={prompt} />
        {run.state !== "running" && <small class="faint">Nothing was sent to a provider.</small>}
      </>
    );
  const seen = readConversation(run.sent.body)?.turns.findLast((turn) => turn.role === "user")?.text;
  const same = seen === prompt;
  return (
    <div class="stack tight">
      {seen === undefined ? null : same ? <Words text={prompt} /> : <Difference before={prompt} after={seen} />}
      <span class="row tight">
        <Badge tone={same ? "plain" : "good"}>{same ? "sent as written" : "changed on the way out"}</Badge>
        <small class="soft">
          to {run.sent.provider}/{run.sent.model}
        </small>
      </span>
      <details>
        <summary>All that the provider got</summary>
        <Request text={run.sent.body} />
      </details>
    </div>
  );
}

// What the provider wrote, before stand-ins became the real words again; the program tells it at the end.
function AsAnswered({ run }: { run: Run }) {
  if (!run.sent) return run.state === "running" ? <small class="faint">Shown when it is complete.</small> : null;
  const same = run.sent.answer === run.answer.text;
  return (
    <div class="stack tight">
      <AnswerView answer={{ ...run.answer, text: run.sent.answer }} />
      {!same && (
        <span class="row tight">
          <Badge tone="good">changed on the way back</Badge>
        </span>
      )}
    </div>
  );
}

function Numbers({ run }: { run: Run }) {
  if (run.state === "idle") return null;
  const facts = [
    run.firstMs !== undefined && `first ${milliseconds(run.firstMs)}`,
    run.totalMs !== undefined && milliseconds(run.totalMs),
    run.answer.output !== undefined && `${number(run.answer.input)} in · ${number(run.answer.output)} out`,
    cost(run),
  ].filter(Boolean);
  return (
    <footer class="row spread">
      <small class="soft number">{facts.join(" · ")}</small>
      <span class="row tight">
        {run.fields["x-causeway-provider"] && <Badge>{run.fields["x-causeway-provider"]}</Badge>}
        {run.requestId && has("traces") && (
          <a class="small" href={link(["traces", run.requestId])}>
            trace
          </a>
        )}
      </span>
    </footer>
  );
}

function cost(run: Run): string | false {
  const value = run.fields["x-causeway-cost"] ?? run.answer.cost;
  return value != null && money(value);
}

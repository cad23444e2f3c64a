// One request through the playground's route: the same way that an application's request takes.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, send } from "./api";
import { AnswerReader, type Answer } from "./answer";
import { EventReader } from "./events";
import { asError } from "./load";

export interface Sent {
  provider: string;
  model: string;
  body: string;
  answer: string; // as it came from the provider: stand-ins are still in it
}

export interface Run {
  state: "idle" | "running" | "done" | "failed" | "stopped";
  answer: Answer;
  firstMs?: number;
  totalMs?: number;
  requestId?: string;
  fields: Record<string, string>;
  sent?: Sent;
  error?: ApiError;
}

const nothing = (): Run => ({ state: "idle", answer: { text: "", reasoning: "", calls: [] }, fields: {} });

type Step = (change: Partial<Run>) => void;

// What the playground's route takes: a request as an application makes it, or a recorded one.
export type Question =
  { path: string; body: unknown; tenant?: string; user?: string; roles?: string[] } | { trace: string; model?: string };

async function follow(question: Question, gone: AbortSignal, step: Step): Promise<void> {
  const began = performance.now();
  const since = () => performance.now() - began;
  const reply = await send("POST", "/api/playground", question, gone);
  const reader = new AnswerReader();
  const events = new EventReader();
  const decoder = new TextDecoder();
  let firstMs: number | undefined;
  const bytes = reply.body!.getReader();
  for (;;) {
    const { value, done } = await bytes.read();
    for (const { event, data } of events.feed(
      done ? decoder.decode() + "\n\n" : decoder.decode(value, { stream: true }),
    )) {
      const said = JSON.parse(data);
      if (event === "piece") {
        reader.feed(said.data);
        if (reader.answer.text || reader.answer.reasoning || reader.answer.calls.length) firstMs ??= since();
        step({ answer: { ...reader.answer }, firstMs });
      } else if (event === "done") {
        reader.end();
        step({ ...ended(said), answer: { ...reader.answer }, firstMs: firstMs ?? since(), totalMs: since() });
      } else if (event === "error") {
        const error = new ApiError(said.status ?? 502, said.code ?? "", said.message ?? "The request failed.");
        step({ state: "failed", error, totalMs: since(), requestId: said.request_id, sent: sentOf(said.sent) });
      }
    }
    if (done) return;
  }
}

function ended(said: {
  status: number;
  request_id: string;
  fields?: Record<string, string>;
  sent?: Sent;
}): Partial<Run> {
  return { state: "done", requestId: said.request_id, fields: said.fields ?? {}, sent: sentOf(said.sent) };
}

// Without a provider nothing left.
const sentOf = (sent?: Sent) => (sent?.provider ? sent : undefined);

export interface Runner {
  run: Run;
  start: (question: Question) => Promise<Run>;
  stop: () => void;
  clear: () => void;
}

export function useRun(): Runner {
  const [run, setRun] = useState<Run>(nothing);
  const gone = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => gone.current?.abort(), []);
  const start = useCallback(async (question: Question) => {
    gone.current?.abort();
    const mine = (gone.current = new AbortController());
    let now: Run = { ...nothing(), state: "running" };
    let drawn = 0;
    const step: Step = (change) => {
      now = { ...now, ...change };
      drawn ||= requestAnimationFrame(() => {
        drawn = 0;
        if (gone.current === mine) setRun(now);
      });
    };
    step({});
    try {
      await follow(question, mine.signal, step);
      if (now.state === "running") step({ state: "failed", error: new ApiError(502, "cut", "The answer broke off.") });
    } catch (error) {
      step(mine.signal.aborted ? { state: "stopped" } : { state: "failed", error: asError(error) });
    }
    return now;
  }, []);
  const stop = useCallback(() => gone.current?.abort(), []);
  const clear = useCallback(() => {
    gone.current?.abort();
    gone.current = undefined;
    setRun(nothing());
  }, []);
  return { run, start, stop, clear };
}

// Several models side by side with one prompt: streaming, parameters, tools, and what the provider saw.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLoad } from "../lib/load";
import { place, setWords } from "../lib/router";
import type { EngineModel, Model } from "../lib/types";
import { Button, Card, Choice, Empty, Page, Shown } from "../ui/basics";
import { Area } from "../ui/fields";
import { CodeDialog } from "./playground-code";
import { Column, type ColumnHandle } from "./playground-column";
import { bodyOf, problemOf, Settings, usual, type PlaySettings } from "./playground-settings";

const MOST = 4;

export function PlaygroundPage() {
  const models = useLoad<{ models: Model[] }>("/api/models");
  const engine = useLoad<{ models: EngineModel[] }>("/api/engine");
  const names = useMemo(
    () => chatModels(models.data?.models ?? [], engine.data?.models ?? []),
    [models.data, engine.data],
  );
  return (
    <Page
      title="Playground"
      about="One prompt to several models at once, on the same way that an application's requests take."
    >
      <Shown of={models}>
        {() =>
          names.length ? (
            <Board names={names} />
          ) : (
            <Card>
              <Empty title="There is no model yet" icon="models">
                Add a provider to the configuration, or set its key in the environment, for example{" "}
                <code>OPENAI_API_KEY</code>.
              </Empty>
            </Card>
          )
        }
      </Shown>
    </Page>
  );
}

// Those that a person would pick come first: names from the configuration. Embedding models answer no chat.
function chatModels(models: Model[], engine: EngineModel[]): string[] {
  const silent = new Set(engine.filter((one) => one.kind !== "chat").flatMap((one) => [one.name, ...one.aliases]));
  // A pattern (`cloud/*`) is no name that can be asked for; what sounds of vectors is offered last.
  const chat = models
    .filter((one) => !one.name.includes("*"))
    .filter((one) => !one.targets.every((target) => silent.has(target.replace(/^[^/]*\//, ""))));
  const rank = (one: Model) => (one.provider ? 1 : 0) + (/embed/i.test(one.name + one.targets.join()) ? 2 : 0);
  return chat.sort((a, b) => rank(a) - rank(b)).map((one) => one.name);
}

function Board({ names }: { names: string[] }) {
  const [settings, setSettings] = useState<PlaySettings>(usual);
  const [prompt, setPrompt] = useState("");
  const [asked, setAsked] = useState(""); // last
  const [view, setView] = useState<"answer" | "sent">("answer");
  const [code, setCode] = useState(false);
  const [busy, setBusy] = useState(0);
  const handles = useRef(new Map<number, ColumnHandle>());
  const chosen = (place.value.words.models?.split(",").filter(Boolean) ?? names.slice(0, 1)).slice(0, MOST);
  const choose = (list: string[]) => setWords({ models: list.join(",") });
  const problem = problemOf(settings);
  const send = () => {
    if (!prompt.trim() || problem) return;
    setAsked(prompt);
    handles.current.forEach((column) => column.send(prompt, settings));
    setPrompt("");
  };
  const each = (action: (column: ColumnHandle) => void) => handles.current.forEach(action);
  useEffect(() => {
    for (const at of handles.current.keys()) if (at >= chosen.length) handles.current.delete(at);
  }, [chosen.length]);
  return (
    <>
      <div class="row spread">
        <Choice
          label="What to show"
          value={view}
          of={[
            ["answer", "As the application sees it"],
            ["sent", "As the provider sees it"],
          ]}
          set={setView}
        />
        <div class="row">
          {chosen.length < MOST && (
            <Button
              icon="plus"
              onClick={() => choose([...chosen, names.find((name) => !chosen.includes(name)) ?? names[0]])}
            >
              Add a model
            </Button>
          )}
          <Button icon="copy" onClick={() => setCode(true)}>
            Copy as code
          </Button>
          <Button icon="again" onClick={() => each((column) => column.clear())}>
            Start anew
          </Button>
        </div>
      </div>
      <div class="play">
        <Settings value={settings} set={setSettings} problem={problem} />
        <div class="stack">
          <div class="columns">
            {chosen.map((model, at) => (
              <Column
                key={at}
                handle={(made) => (made ? handles.current.set(at, made) : handles.current.delete(at))}
                model={model}
                names={names}
                view={view}
                set={(name) => choose(chosen.with(at, name))}
                close={chosen.length > 1 ? () => choose(chosen.filter((_, other) => other !== at)) : undefined}
                busy={(on) => setBusy((old) => old + (on ? 1 : -1))}
              />
            ))}
          </div>
          <div
            class="card prompt"
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            }}
          >
            <Area
              label="Prompt"
              rows={3}
              value={prompt}
              set={setPrompt}
              placeholder="Ask something. Names, addresses and numbers show what a policy on personal data does."
            />
            <div class="row spread">
              <small class="faint">
                Ctrl + Enter sends to {chosen.length === 1 ? "the model" : `all ${chosen.length} models`}. It costs what
                any request costs.
              </small>
              {busy > 0 ? (
                <Button icon="stop" onClick={() => each((column) => column.stop())}>
                  Stop
                </Button>
              ) : (
                <Button tone="main" icon="play" disabled={!prompt.trim() || !!problem} onClick={send}>
                  Send
                </Button>
              )}
            </div>
          </div>
        </div>
      </div>
      {code && (
        <CodeDialog
          body={bodyOf(settings, chosen[0], [{ role: "user", content: prompt || asked || "Hello" }])}
          close={() => setCode(false)}
        />
      )}
    </>
  );
}

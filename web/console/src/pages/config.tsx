import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call, mayChange } from "../lib/api";
import { lineDiff } from "../lib/diff";
import { draft, dropDraft, isUnsaved, keepDraft, type Draft } from "../lib/draft";
import { asError, useLoad } from "../lib/load";
import { readStatus } from "../lib/session";
import type { Config, Problem as At } from "../lib/types";
import { Badge, Button, Card, CopyButton, Note, Page, Problem, Shown } from "../ui/basics";
import { say } from "../ui/toasts";

export function ConfigPage() {
  const config = useLoad<Config>("/api/config");
  const editing = draft();
  useEffect(
    () => () => {
      if (isUnsaved(draft())) say("Your changes to the configuration are not saved; they wait on its page");
    },
    [],
  );
  const reload = async () => {
    try {
      await call("POST", "/api/reload");
      say("The configuration was read again");
    } catch (error) {
      say(asError(error).message, "bad");
    }
    await readStatus();
    config.reload();
  };
  return (
    <Page
      title="Configuration"
      about={
        config.data && (
          <>
            {config.data.path ? <code>{config.data.path}</code> : "No file: what this machine offers."} · version{" "}
            {config.data.version}
          </>
        )
      }
      actions={
        mayChange() &&
        config.data &&
        !editing && (
          <>
            <Button icon="again" onClick={reload}>
              Reload
            </Button>
            {config.data.editable && (
              <Button
                tone="main"
                onClick={() => {
                  const { text, sha256 } = config.data!;
                  keepDraft({ text, base: text, sha256 });
                }}
              >
                Edit
              </Button>
            )}
          </>
        )
      }
    >
      <Shown of={config}>
        {(data) => (
          <>
            {data.problems.length > 0 && (
              <Note tone="bad" alert>
                <b>The file was refused; the configuration before it is in force.</b>
                <ul>
                  {data.problems.map((one, index) => (
                    <li key={index}>
                      {typeof one === "string"
                        ? one
                        : one.line
                          ? `Line ${one.line}, column ${one.column}: ${one.message}`
                          : one.message}
                    </li>
                  ))}
                </ul>
              </Note>
            )}
            {!data.editable && data.why_not && <Note>It cannot be changed here: {data.why_not}</Note>}
            {editing && !data.editable && (
              <Card
                title="Your text, not saved"
                about="It waits until the file can be read again: mend the file where it stands, then come back here. Or take a copy."
                actions={<CopyButton text={editing.text} />}
              >
                <Numbered text={editing.text} />
              </Card>
            )}
            {editing && data.editable ? (
              <Editor file={data} draft={editing} reload={config.reload} />
            ) : (
              <Card
                title="In the file"
                about="Secrets that stand in it are not shown; they stay where they are."
                actions={<CopyButton text={data.text} />}
              >
                <Numbered text={data.text} />
              </Card>
            )}
          </>
        )}
      </Shown>
    </Page>
  );
}

function Numbered({ text }: { text: string }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <div class="code numbered" tabIndex={0} role="region" aria-label="Configuration file">
      <pre aria-hidden="true" class="faint">
        {lines.map((_, at) => at + 1).join("\n")}
      </pre>
      <pre>{lines.join("\n")}</pre>
    </div>
  );
}

const isError = (problem: At) => problem.severity !== "warning";

interface Checked {
  text: string;
  problems: At[];
  diff: string;
  restart_needed: string[];
}

function Editor({ file, draft: { text, base, sha256 }, reload }: { file: Config; draft: Draft; reload: () => void }) {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const changed = text !== base;
  const outdated = file.sha256 !== sha256;
  useEffect(() => area.current?.focus(), []);
  const close = () => {
    dropDraft();
    reload();
  };
  const run = async (action: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    await action().catch((failed) => {
      const known = asError(failed);
      if (known.code === "config_changed") return reload(); // then it is seen what changed
      if (Array.isArray(known.detail.problems))
        setChecked({ text, problems: known.detail.problems as At[], diff: "", restart_needed: [] });
      setError(known);
    });
    setBusy(false);
  };
  const checkAgainst = (hash: string) =>
    run(async () =>
      setChecked({
        text,
        ...(await call<Omit<Checked, "text">>("POST", "/api/config/check", { text, sha256: hash })),
      }),
    );
  const goOn = () => {
    keepDraft({ text, base: file.text, sha256: file.sha256 });
    void checkAgainst(file.sha256);
  };
  const save = () =>
    run(async () => {
      await call("PUT", "/api/config", { text, sha256 });
      say("Saved and in force");
      await readStatus();
      close();
    });
  const goTo = (line: number) => {
    const begin =
      text
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0);
    const end = text.indexOf("\n", begin);
    area.current?.focus();
    area.current?.setSelectionRange(begin, end < 0 ? text.length : end);
    area.current?.scrollTo({ top: (line - 4) * 19.4 });
  };
  const good = changed && checked?.text === text && !checked.problems.some(isError);
  return (
    <>
      <Card
        title="Edit"
        about="Check shows what is wrong and what would change; only what was checked can be saved. The former file is kept beside it."
      >
        <div class="stack">
          <textarea
            ref={area}
            class="mono"
            rows={24}
            aria-label="Configuration file"
            value={text}
            spellcheck={false}
            wrap="off"
            onInput={(event) => keepDraft({ text: event.currentTarget.value, base, sha256 })}
          />
          {error && <Problem error={error} />}
          {outdated && (
            <Note tone="warn" alert>
              <b>The file was changed since you began. Your text is still here.</b>
              <Diff title="Changed in the file" text={lineDiff(base, file.text)} />
              <div class="row">
                <Button tone="main" onClick={goOn}>
                  Go on with my text
                </Button>
                <Button onClick={() => keepDraft({ text: file.text, base: file.text, sha256: file.sha256 })}>
                  Take the file’s text
                </Button>
                <small>The check then shows what your text would change in the file as it is now.</small>
              </div>
            </Note>
          )}
          <div class="row">
            <Button tone={good ? undefined : "main"} disabled={busy || !changed || outdated} onClick={() => checkAgainst(sha256)}>
              Check
            </Button>
            <Button tone={good ? "main" : undefined} disabled={busy || !good || outdated} onClick={save}>
              Save and use it
            </Button>
            <Button tone="quiet" onClick={close}>
              {changed ? "Discard changes" : "Cancel"}
            </Button>
            {checked && checked.text !== text && <span class="faint">Changed since the check.</span>}
          </div>
        </div>
      </Card>
      {checked && checked.text === text && <CheckResult of={checked} goTo={goTo} />}
    </>
  );
}

function CheckResult({ of, goTo }: { of: Checked; goTo: (line: number) => void }) {
  return (
    <Card title="What the check says">
      <div class="stack" role="status">
        {!of.problems.some(isError) && <Note tone="good">Nothing is wrong with it.</Note>}
        {of.problems.length > 0 && (
          <ul class="stack tight">
            {of.problems.map((one, index) => (
              <li key={index} class="row">
                <Button small onClick={() => goTo(one.line)}>
                  Line {one.line}
                </Button>
                <Badge tone={isError(one) ? "bad" : "warn"}>{isError(one) ? "error" : "warning"}</Badge>
                <span>{one.message}</span>
              </li>
            ))}
          </ul>
        )}
        {of.restart_needed.length > 0 && (
          <Note tone="warn">Takes effect only after a restart: {of.restart_needed.join(", ")}.</Note>
        )}
        {of.diff && <Diff title="Changes" text={of.diff} />}
      </div>
    </Card>
  );
}

function Diff({ title, text }: { title: string; text: string }) {
  const tone = (line: string) =>
    /^(---|\+\+\+) /.test(line)
      ? "faint"
      : line.startsWith("@@")
        ? "hunk"
        : line.startsWith("+")
          ? "added"
          : line.startsWith("-")
            ? "gone"
            : "";
  return (
    <div class="stack tight">
      <h3>
        {title} <Badge>{text.split("\n").filter((line) => /^[+-](?![+-])/.test(line)).length} lines</Badge>
      </h3>
      <pre class="code diff" tabIndex={0} aria-label={title}>
        {text
          .replace(/\n$/, "")
          .split("\n")
          .map((line, index) => (
            <span key={index} class={tone(line)}>
              {line}
              {"\n"}
            </span>
          ))}
      </pre>
    </div>
  );
}

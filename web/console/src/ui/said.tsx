// Words of people and of models. They are always text: nothing of them becomes part of the page's own structure.
import { useState } from "preact/hooks";
import type { Answer } from "../lib/answer";
import { pretty, readConversation, type Turn } from "../lib/conversation";
import { wordDiff } from "../lib/diff";
import { Badge, Button, CopyButton } from "./basics";

// Fenced code stands in a block of its own; all else as it was written.
export function Words({ text }: { text: string }) {
  const parts = text.split(/^```[^\n]*\n([\s\S]*?)(?:^```[ \t]*$\n?|$(?![\s\S]))/m);
  return (
    <>
      {parts.map((part, index) =>
        index % 2 ? (
          <pre key={index} class="code" tabIndex={0}>
            {part}
          </pre>
        ) : (
          part.trim() && (
            <div key={index} class="said">
              {part.replace(/^\n+|\n+$/g, "")}
            </div>
          )
        ),
      )}
    </>
  );
}

export function Turns({ turns }: { turns: Turn[] }) {
  return (
    <ol class="turns">
      {turns.map((turn, index) => (
        <li key={index} class={`turn ${turn.role}`}>
          <span class="role">{turn.role}</span>
          <Words text={turn.text} />
        </li>
      ))}
    </ol>
  );
}

// A request as a conversation, or as the bytes that left.
export function Request({ text, cut }: { text: string; cut?: boolean }) {
  const read = readConversation(text);
  const [raw, setRaw] = useState(!read);
  return (
    <div class="stack tight">
      <div class="row spread">
        <span class="row tight">
          {read?.tools.map((tool) => (
            <Badge key={tool} tone="info">
              tool {tool}
            </Badge>
          ))}
          {read?.settings.map(([name, value]) => (
            <Badge key={name} wrap>
              {name} {value}
            </Badge>
          ))}
          {cut && <Badge tone="warn">cut after 256 KiB</Badge>}
        </span>
        <span class="row tight">
          {read && (
            <Button small tone="quiet" onClick={() => setRaw(!raw)}>
              {raw ? "As a conversation" : "As it was sent"}
            </Button>
          )}
          <CopyButton text={() => pretty(text)} />
        </span>
      </div>
      {raw || !read ? (
        <pre class="code" tabIndex={0}>
          {pretty(text)}
        </pre>
      ) : (
        <Turns turns={read.turns} />
      )}
    </div>
  );
}

export function AnswerView({ answer }: { answer: Answer }) {
  return (
    <div class="stack tight">
      {answer.reasoning && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <div class="said">{answer.reasoning}</div>
        </details>
      )}
      {answer.text && <Words text={answer.text} />}
      {answer.calls.filter(Boolean).map((call, index) => (
        <div key={index} class="stack tight">
          <Badge tone="info">calls {call.name}</Badge>
          <pre class="code" tabIndex={0}>
            {pretty(call.input)}
          </pre>
        </div>
      ))}
    </div>
  );
}

// `after` with what is not in `before` marked, and the other way round where `gone` is shown.
export function Difference({ before, after, gone }: { before: string; after: string; gone?: boolean }) {
  return (
    <div class="said">
      {wordDiff(before, after).map((piece, index) =>
        piece.kind === "same" ? (
          piece.text
        ) : piece.kind === "added" ? (
          <mark key={index} class={gone ? "added" : ""}>
            {piece.text}
          </mark>
        ) : gone ? (
          <mark key={index} class="gone">
            {piece.text}
          </mark>
        ) : null,
      )}
    </div>
  );
}

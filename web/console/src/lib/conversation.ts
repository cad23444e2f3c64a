// A request as a person reads it: who says what, whichever dialect it is written in.
type Json = Record<string, unknown>;

export interface Turn {
  role: string;
  text: string;
}

export interface Conversation {
  turns: Turn[];
  tools: string[];
  settings: [string, string][];
}

const SAID = new Set([
  "messages",
  "system",
  "systemInstruction",
  "system_instruction",
  "instructions",
  "input",
  "contents",
  "tools",
  "model",
  "stream",
  "stream_options",
]);

// null where it is none that we know: it is then shown as it is.
export function readConversation(request: string | undefined): Conversation | null {
  let body: Json;
  try {
    body = JSON.parse(request ?? "") as Json;
  } catch {
    return null;
  }
  if (typeof body !== "object" || body === null) return null;
  const turns: Turn[] = [];
  const system = textOf(body.system ?? body.systemInstruction ?? body.system_instruction ?? body.instructions);
  if (system) turns.push({ role: "system", text: system });
  if (typeof body.input === "string") turns.push({ role: "user", text: body.input });
  for (const list of [body.messages, body.contents, body.input]) {
    if (!Array.isArray(list)) continue;
    for (const message of list as Json[]) turns.push(turnOf(message));
  }
  if (!turns.length) return null;
  const settings = Object.entries(body)
    .filter(([name]) => !SAID.has(name))
    .map(([name, value]) => [name, short(value)] as [string, string]);
  return { turns, tools: toolNames(body.tools), settings };
}

function turnOf(message: Json | string): Turn {
  if (typeof message !== "object" || message === null) return { role: "user", text: String(message) };
  const calls = [...list(message.tool_calls)].map((call) => {
    const made = (call.function ?? call) as Json;
    return `${String(made.name)}(${short(made.arguments)})`;
  });
  const role = String(message.role ?? message.type ?? "user");
  return {
    role,
    text: [textOf(message.content ?? message.parts ?? message.output ?? message.arguments), ...calls]
      .filter(Boolean)
      .join("\n"),
  };
}

function textOf(value: unknown): string {
  if (value == null) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join("\n");
  const part = value as Json;
  if (typeof part.text === "string") return part.text;
  if (part.parts !== undefined) return textOf(part.parts);
  if (part.type === "tool_use") return `${String(part.name)}(${short(part.input)})`;
  if (part.type === "tool_result") return textOf(part.content);
  return `[${String(part.type ?? Object.keys(part)[0] ?? "part")}]`;
}

function toolNames(tools: unknown): string[] {
  return list(tools).flatMap((tool) => {
    const inside = list(tool.functionDeclarations);
    return inside.length
      ? inside.map((one) => String(one.name))
      : [String(((tool.function ?? tool) as Json).name ?? tool.type ?? "tool")];
  });
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

function short(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

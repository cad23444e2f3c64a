// What stands beside the prompt: system prompt, parameters, tools.
import { Card, Note } from "../ui/basics";
import { Area, Check, Text } from "../ui/fields";

export interface PlaySettings {
  system: string;
  temperature: string;
  top_p: string;
  max_tokens: string;
  seed: string;
  stop: string;
  stream: boolean;
  json: boolean;
  tools: string;
  tenant: string;
  roles: string;
}

export const usual: PlaySettings = {
  system: "",
  temperature: "",
  top_p: "",
  max_tokens: "",
  seed: "",
  stop: "",
  stream: true,
  json: false,
  tools: "",
  tenant: "",
  roles: "",
};

export interface Message {
  role: string;
  content: string;
}

const EXAMPLE = `[{ "type": "function",
   "function": { "name": "weather",
     "parameters": { "type": "object",
       "properties": { "city": { "type": "string" } } } } }]`;

// What is wrong with the settings, or "".
export function problemOf(settings: PlaySettings): string {
  for (const [name, least, most] of [
    ["temperature", 0, 2],
    ["top_p", 0, 1],
    ["max_tokens", 1, 1e7],
    ["seed", -1e15, 1e15],
  ] as const) {
    const value = settings[name].trim();
    if (value && !(Number(value) >= least && Number(value) <= most))
      return `“${name}” is a number from ${least} to ${most}.`;
  }
  if (!settings.tools.trim()) return "";
  try {
    return Array.isArray(JSON.parse(settings.tools)) ? "" : "Tools are a JSON list.";
  } catch (error) {
    return `Tools are no JSON: ${(error as Error).message}`;
  }
}

// On whose behalf: the policies for these apply.
export function callerOf(settings: PlaySettings): { tenant?: string; roles?: string[] } {
  const roles = settings.roles.split(/[\s,]+/).filter(Boolean);
  return { ...(settings.tenant.trim() && { tenant: settings.tenant.trim() }), ...(roles.length > 0 && { roles }) };
}

// The request that an application would send.
export function bodyOf(settings: PlaySettings, model: string, messages: Message[]): Record<string, unknown> {
  const body: Record<string, unknown> = { model };
  body.messages = settings.system.trim() ? [{ role: "system", content: settings.system }, ...messages] : messages;
  for (const name of ["temperature", "top_p", "max_tokens", "seed"] as const) {
    if (settings[name].trim()) body[name] = Number(settings[name]);
  }
  if (settings.stop) body.stop = settings.stop;
  if (settings.json) body.response_format = { type: "json_object" };
  if (settings.tools.trim() && !problemOf(settings)) body.tools = JSON.parse(settings.tools);
  if (settings.stream) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  return body;
}

export function Settings({
  value,
  set,
  problem,
}: {
  value: PlaySettings;
  set: (value: PlaySettings) => void;
  problem: string;
}) {
  const change =
    <Name extends keyof PlaySettings>(name: Name) =>
    (to: PlaySettings[Name]) =>
      set({ ...value, [name]: to });
  const open = typeof matchMedia === "function" && matchMedia("(min-width: 861px)").matches;
  return (
    <Card class="settings">
      <details open={open}>
        <summary>
          <h2>Settings</h2>
        </summary>
        <div class="stack">
          <Area label="System prompt" rows={4} value={value.system} set={change("system")} placeholder="You are …" />
          <div class="fields narrow">
            <Text
              label="Temperature"
              inputMode="decimal"
              value={value.temperature}
              set={change("temperature")}
              placeholder="usual"
            />
            <Text label="Top p" inputMode="decimal" value={value.top_p} set={change("top_p")} placeholder="usual" />
            <Text
              label="Most tokens"
              inputMode="numeric"
              value={value.max_tokens}
              set={change("max_tokens")}
              placeholder="usual"
            />
            <Text label="Seed" inputMode="numeric" value={value.seed} set={change("seed")} placeholder="none" />
          </div>
          <Text label="Stop at" value={value.stop} set={change("stop")} placeholder="nothing" />
          <div class="row">
            <Check label="Stream" value={value.stream} set={change("stream")} />
            <Check label="Answer in JSON" value={value.json} set={change("json")} />
          </div>
          <Area
            label="Tools"
            mono
            rows={5}
            value={value.tools}
            set={change("tools")}
            placeholder={EXAMPLE}
            hint="As the chat completions API has them. Calls are shown, not carried out."
          />
          <div class="fields narrow">
            <Text label="As tenant" value={value.tenant} set={change("tenant")} placeholder="default" />
            <Text label="With roles" value={value.roles} set={change("roles")} placeholder="none" />
          </div>
          {problem && (
            <Note tone="bad" alert>
              {problem}
            </Note>
          )}
        </div>
      </details>
    </Card>
  );
}

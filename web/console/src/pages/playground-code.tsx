// The same request as an application would write it.
import { useState } from "preact/hooks";
import { status } from "../lib/session";
import { Choice, CopyButton } from "../ui/basics";
import { Dialog } from "../ui/fields";

type Language = "curl" | "Python" | "JavaScript";

// Where applications reach it: a listener on all addresses is at the name that this page was opened with.
export function baseUrl(): string {
  const listen = status.value?.listen ?? "127.0.0.1:8080";
  const port = listen.slice(listen.lastIndexOf(":") + 1);
  const host = listen.slice(0, listen.lastIndexOf(":"));
  return `http://${["0.0.0.0", "[::]", "*", ""].includes(host) ? location.hostname : host}:${port}/v1`;
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

export function curl(body: Record<string, unknown>): string {
  return [
    `curl ${body.stream ? "-N " : ""}${baseUrl()}/chat/completions \\`,
    `  -H "Authorization: Bearer $CAUSEWAY_KEY" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quoted(JSON.stringify(body, null, 2))}`,
  ].join("\n");
}

function pythonValue(value: unknown, deep = 1): string {
  const pad = "    ".repeat(deep);
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value))
    return value.length
      ? `[\n${value.map((one) => `${pad}    ${pythonValue(one, deep + 1)},\n`).join("")}${pad}]`
      : "[]";
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([name, one]) => `${JSON.stringify(name)}: ${pythonValue(one, deep + 1)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}

export function python(body: Record<string, unknown>): string {
  const parts = Object.entries(body).map(([name, value]) => `    ${name}=${pythonValue(value)},`);
  const use = body.stream
    ? [
        "for chunk in answer:",
        "    if chunk.choices:",
        `        print(chunk.choices[0].delta.content or "", end="", flush=True)`,
      ]
    : ["print(answer.choices[0].message.content)"];
  return [
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${JSON.stringify(baseUrl())}, api_key=os.environ["CAUSEWAY_KEY"])`,
    "answer = client.chat.completions.create(",
    ...parts,
    ")",
    ...use,
  ].join("\n");
}

export function javascript(body: Record<string, unknown>): string {
  const use = body.stream
    ? ["for await (const chunk of answer) {", `  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");`, "}"]
    : ["console.log(answer.choices[0].message.content);"];
  return [
    `import OpenAI from "openai";`,
    "",
    `const client = new OpenAI({ baseURL: ${JSON.stringify(baseUrl())}, apiKey: process.env.CAUSEWAY_KEY });`,
    `const answer = await client.chat.completions.create(${JSON.stringify(body, null, 2)});`,
    ...use,
  ].join("\n");
}

export function CodeDialog({ body, close }: { body: Record<string, unknown>; close: () => void }) {
  const [language, setLanguage] = useState<Language>("curl");
  const text = language === "curl" ? curl(body) : language === "Python" ? python(body) : javascript(body);
  return (
    <Dialog title="This request as code" close={close}>
      <div class="row spread">
        <Choice label="Language" value={language} of={["curl", "Python", "JavaScript"] as const} set={setLanguage} />
        <CopyButton text={text} />
      </div>
      <pre class="code" tabIndex={0} aria-label={`${language} code`}>
        {text}
      </pre>
      <small class="faint">
        The key is an application's, from the environment: <code>CAUSEWAY_KEY</code>.
      </small>
    </Dialog>
  );
}

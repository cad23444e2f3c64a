// The official Node client, unmodified: OPENAI_BASE_URL and OPENAI_API_KEY are all that is set.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const tool = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
};

test("chat", async () => {
  const answer = await client.chat.completions.create({ model: "echo", messages: user("hello") });
  assert.equal(answer.choices[0].message.content, "You said: hello");
  assert.equal(answer.usage.prompt_tokens, 1);
  assert.ok(answer._request_id);
});

test("chat as a stream", async () => {
  let text = "";
  const reasons = [];
  for await (const event of await client.chat.completions.create({ model: "echo", messages: user("café 😀"), stream: true })) {
    text += event.choices[0].delta.content ?? "";
    if (event.choices[0].finish_reason) reasons.push(event.choices[0].finish_reason);
    assert.ok(!event.usage);
  }
  assert.equal(text, "You said: café 😀");
  assert.deepEqual(reasons, ["stop"]);
});

test("usage in the stream when asked for", async () => {
  let usage;
  for await (const event of await client.chat.completions.create({
    model: "echo", messages: user("a b"), stream: true, stream_options: { include_usage: true },
  })) usage = event.usage ?? usage;
  assert.equal(usage.prompt_tokens, 2);
});

test("the stream helper ends with a whole completion", async () => {
  const stream = client.chat.completions.stream({ model: "echo", messages: user("hello"), tools: [tool] });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].finish_reason, "tool_calls");
  assert.equal(final.choices[0].message.tool_calls[0].function.arguments, '{"city": "Zürich \\"old\\""}');
});

test("a stream split at every byte", async () => {
  let text = "";
  for await (const event of await client.chat.completions.create({ model: "fake/dribble-bytes", messages: user("€ x"), stream: true }))
    text += event.choices[0]?.delta.content ?? "";
  assert.equal(text, "You said: € x");
});

test("aborting a stream", async () => {
  const stream = await client.chat.completions.create({ model: "fake/endless", messages: user("x"), stream: true });
  let seen = 0;
  for await (const _ of stream) if (++seen === 3) break; // closes the connection
  assert.equal(seen, 3);
});

test("completions with suffix", async () => {
  const answer = await client.completions.create({ model: "echo", prompt: "once", suffix: " end" });
  assert.equal(answer.choices[0].text, " and then end");
});

test("embeddings: base64 by default, float when asked for", async () => {
  const packed = await client.embeddings.create({ model: "embed", input: ["a", "b"] });
  const plain = await client.embeddings.create({ model: "embed", input: ["a", "b"], encoding_format: "float" });
  assert.equal(packed.data.length, 2);
  assert.deepEqual(Array.from(packed.data[1].embedding), plain.data[1].embedding);
});

test("models", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("echo") && ids.includes("org/deep/model"));
  assert.equal((await client.models.retrieve("org/deep/model")).id, "org/deep/model");
});

// Every refusal becomes the class that the official client has for it.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: "user", content: "hi" }];
const ask = (model, more = {}) => client.chat.completions.create({ model, messages, ...more });

test("wrong key", async () => {
  const wrong = new OpenAI({ apiKey: "sk-wrong", maxRetries: 0 });
  await assert.rejects(wrong.models.list(), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.code, "invalid_api_key");
    assert.ok(error.requestID);
    return true;
  });
});

test("unknown model", async () => {
  await assert.rejects(ask("ecko"), (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
});

test("bad request", async () => {
  await assert.rejects(ask("fake/s400"), (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
});

test("rate limit", async () => {
  await assert.rejects(ask("fake/s429"), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers.get("retry-after"), "7");
    return true;
  });
});

test("provider down", async () => {
  await assert.rejects(ask("fake/no-answer"), (error) => error instanceof OpenAI.InternalServerError);
});

test("stream that is cut", async () => {
  let text = "";
  await assert.rejects(async () => {
    for await (const event of await ask("fake/cut-mid-stream", { stream: true })) text += event.choices[0].delta.content ?? "";
  }, OpenAI.APIError);
  assert.equal(text, "one two three");
});

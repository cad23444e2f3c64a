// The Vercel AI SDK through the gateway, each of its providers towards each of the gateway's: run by
// ../test_ai_sdk.py.
import assert from "node:assert/strict";
import test from "node:test";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { CAUSEWAY, KEY: apiKey, KINDS, MARK, PICTURE } = process.env;
const openai = createOpenAI({ baseURL: `${CAUSEWAY}/v1`, apiKey });
const clients = {
  "chat completions": (model) => openai.chat(model),
  responses: (model) => openai(model),
  anthropic: createAnthropic({ baseURL: `${CAUSEWAY}/v1`, apiKey }),
  gemini: createGoogleGenerativeAI({ baseURL: `${CAUSEWAY}/v1beta`, apiKey }),
};
// By its model's name the SDK would take the way of older models: a tool in the place of a schema.
const providerOptions = { anthropic: { structuredOutputMode: "outputFormat" }, openai: { store: false } };

const weather = (seen) =>
  tool({
    description: "The weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      seen.push(city);
      return `sunny-in ${city}`;
    },
  });

for (const [name, client] of Object.entries(clients)) {
  for (const provider of JSON.parse(KINDS)) {
    const common = { model: client(`${provider}-chat`), maxRetries: 0, providerOptions };

    test(`${name}, ${provider}: text and stream`, async () => {
      const whole = await generateText({ ...common, prompt: "hello" });
      assert.equal(whole.text, "You said: hello");
      assert.equal(whole.finishReason, "stop");
      assert.ok(whole.usage.inputTokens > 0);
      const pieces = [];
      const stream = streamText({ ...common, prompt: "hello" });
      for await (const piece of stream.textStream) pieces.push(piece);
      assert.equal(pieces.join(""), "You said: hello");
      assert.ok(pieces.length > 1);
    });

    test(`${name}, ${provider}: tools and back`, async () => {
      for (const ask of [generateText, streamText]) {
        const seen = [];
        const answer = await ask({
          ...common,
          prompt: `weather? ${MARK}`,
          tools: { weather: weather(seen) },
          stopWhen: stepCountIs(2),
        });
        assert.equal((await answer.steps).length, 2);
        assert.deepEqual(seen, ['Zürich "old"']);
        assert.equal(await answer.finishReason, "stop");
      }
    });

    test(`${name}, ${provider}: image`, async () => {
      const content = [
        { type: "text", text: MARK },
        { type: "image", image: Buffer.from(PICTURE, "base64"), mediaType: "image/png" },
      ];
      const { text } = await generateText({ ...common, messages: [{ role: "user", content }] });
      assert.ok(text.includes(MARK), text);
    });

    test(`${name}, ${provider}: structured output`, async () => {
      const { output } = await generateText({
        ...common,
        prompt: "hello",
        output: Output.object({ schema: z.object({ answer: z.string() }) }),
      });
      assert.deepEqual(output, { answer: "You said: hello" });
    });
  }
}

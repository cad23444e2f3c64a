// Speech through the gateway: OPENAI_BASE_URL and OPENAI_API_KEY say where; the models are the fake's.
import assert from "node:assert/strict";
import { File } from "node:buffer";
import test from "node:test";

import OpenAI, { toFile } from "openai";

globalThis.File ??= File; // Node 18, which is Debian 12's, has it in node:buffer only

const client = new OpenAI({ maxRetries: 0 });
const TEXT = "I see skies of blue.";

test("a transcription, small and large", async () => {
  for (const bytes of [10, 5_000_000]) {
    const file = await toFile(Buffer.alloc(bytes, 7), "talk.wav");
    const answer = await client.audio.transcriptions.create({ file, model: "fake/gpt-4o-transcribe" });
    assert.equal(answer.text, TEXT);
  }
});

test("subtitles come as they are", async () => {
  const file = await toFile(Buffer.alloc(10), "talk.wav");
  const answer = await client.audio.transcriptions.create({
    file, model: "fake/whisper-1", response_format: "srt" });
  assert.match(String(answer), /00:00:00,000 --> 00:00:03,000/);
});

test("a stream", async () => {
  const file = await toFile(Buffer.alloc(10), "talk.wav");
  const stream = await client.audio.transcriptions.create({
    file, model: "fake/gpt-4o-transcribe", stream: true });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events.filter((e) => e.type === "transcript.text.delta").map((e) => e.delta).join(""), TEXT);
  assert.equal(events.at(-1).type, "transcript.text.done");
});

test("a translation, and a model that cannot", async () => {
  const file = await toFile(Buffer.alloc(10), "talk.wav");
  assert.equal((await client.audio.translations.create({ file, model: "fake/whisper-1" })).text, TEXT);
  await assert.rejects(
    client.audio.transcriptions.create({ file: await toFile(Buffer.alloc(10), "a.wav"), model: "nosuch" }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
});

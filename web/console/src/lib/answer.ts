// Puts an answer together as it comes: chat completions, the Responses API, Anthropic's messages, Gemini's; streamed or
// whole.
import { EventReader } from "./events";

type Json = Record<string, any>;

export interface Answer {
  text: string;
  reasoning: string;
  calls: { name: string; input: string }[];
  input?: number;
  output?: number;
  cost?: number;
  stop?: string;
}

export class AnswerReader {
  readonly answer: Answer = { text: "", reasoning: "", calls: [] };
  #events = new EventReader();
  #streamed: boolean | undefined;
  #whole = "";

  feed(bytes: string): void {
    this.#streamed ??= !bytes.trimStart().startsWith("{");
    if (!this.#streamed) {
      this.#whole += bytes;
      return;
    }
    for (const { data } of this.#events.feed(bytes)) {
      if (data !== "[DONE]") this.#take(data);
    }
  }

  end(): void {
    if (this.#streamed === false) this.#take(this.#whole);
  }

  #take(data: string): void {
    let value: Json;
    try {
      value = JSON.parse(data) as Json;
    } catch {
      return;
    }
    if (Array.isArray(value.candidates)) this.#candidates(value);
    this.#usage(value.usage ?? value.message?.usage ?? value.response?.usage);
    if (Array.isArray(value.choices)) this.#choices(value.choices);
    else if (typeof value.type === "string") this.#typed(value);
    if (value.type === "message" && Array.isArray(value.content))
      value.content.forEach((block: Json) => this.#block(block));
    if (value.object === "response" && Array.isArray(value.output))
      value.output.forEach((item: Json) => this.#item(item));
  }

  #usage(usage: Json | undefined): void {
    if (!usage) return;
    this.answer.input = usage.prompt_tokens ?? usage.input_tokens ?? this.answer.input;
    this.answer.output = usage.completion_tokens ?? usage.output_tokens ?? this.answer.output;
    this.answer.cost = usage.cost ?? this.answer.cost;
  }

  #choices(choices: Json[]): void {
    const choice = choices[0];
    if (!choice || (choice.index ?? 0) !== 0) return;
    const part: Json = choice.delta ?? choice.message ?? {};
    this.answer.text += part.content ?? part.refusal ?? "";
    this.answer.reasoning += part.reasoning_content ?? part.reasoning ?? "";
    (part.tool_calls ?? []).forEach((call: Json, at: number) => {
      const made = (this.answer.calls[call.index ?? at] ??= { name: "", input: "" });
      made.name += call.function?.name ?? "";
      made.input += call.function?.arguments ?? "";
    });
    this.answer.stop = choice.finish_reason ?? this.answer.stop;
  }

  // Gemini's form: whole answers and pieces look alike.
  #candidates(value: Json): void {
    const { content, finishReason } = value.candidates[0] ?? {};
    for (const part of content?.parts ?? []) {
      if (part.functionCall)
        this.answer.calls.push({ name: part.functionCall.name, input: JSON.stringify(part.functionCall.args) });
      else if (part.thought) this.answer.reasoning += part.text ?? "";
      else this.answer.text += part.text ?? "";
    }
    this.answer.stop = finishReason ?? this.answer.stop;
    const usage = value.usageMetadata;
    if (usage) this.#usage({ input_tokens: usage.promptTokenCount, output_tokens: usage.candidatesTokenCount });
  }

  #typed(value: Json): void {
    const { answer } = this;
    switch (value.type) {
      case "response.output_text.delta":
        answer.text += value.delta ?? "";
        break;
      case "response.reasoning_summary_text.delta":
        answer.reasoning += value.delta ?? "";
        break;
      case "response.output_item.added":
        if (value.item?.type === "function_call") answer.calls.push({ name: value.item.name, input: "" });
        break;
      case "response.function_call_arguments.delta":
        if (answer.calls.length) answer.calls.at(-1)!.input += value.delta ?? "";
        break;
      case "content_block_start":
        if (value.content_block?.type === "tool_use") answer.calls.push({ name: value.content_block.name, input: "" });
        break;
      case "content_block_delta":
        answer.text += value.delta?.text ?? "";
        answer.reasoning += value.delta?.thinking ?? "";
        if (value.delta?.partial_json && answer.calls.length) answer.calls.at(-1)!.input += value.delta.partial_json;
        break;
      case "message_delta":
        answer.stop = value.delta?.stop_reason ?? answer.stop;
        break;
    }
  }

  #block(block: Json): void {
    if (block.type === "text") this.answer.text += block.text;
    if (block.type === "thinking") this.answer.reasoning += block.thinking;
    if (block.type === "tool_use") this.answer.calls.push({ name: block.name, input: JSON.stringify(block.input) });
  }

  #item(item: Json): void {
    if (item.type === "message") for (const part of item.content ?? []) this.answer.text += part.text ?? "";
    if (item.type === "function_call") this.answer.calls.push({ name: item.name, input: item.arguments });
  }
}

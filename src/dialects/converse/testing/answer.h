// Writes an answer as the service does, streamed and not; for tests.
#pragma once

#include <string>
#include <string_view>

#include "core/testing/random_chat.h"
#include "dialects/converse/testing/wire.h"
#include "platform/text/json_writer.h"

namespace causeway::converse {

using causeway::testing::ReadAnswer;

inline std::string_view word_of(Stop stop) {
  return stop == Stop::Tools      ? "tool_use"
         : stop == Stop::Length   ? "max_tokens"
         : stop == Stop::Filtered ? "content_filtered"
                                  : "end_turn";
}

inline std::string json_of(std::string_view text) { return encode_json_string(text); }

inline std::string usage_of(const ReadAnswer& answer) {
  return R"({"inputTokens":)" + std::to_string(answer.input - answer.cached) +
         R"(,"outputTokens":)" + std::to_string(answer.output) + R"(,"totalTokens":1,)" +
         R"("cacheReadInputTokens":)" + std::to_string(answer.cached) + "}";
}

inline std::string whole_body(const ReadAnswer& answer) {
  std::string content;
  const auto add = [&](const std::string& block) {
    content += (content.empty() ? "" : ",") + block;
  };
  if (!answer.reasoning.empty()) {
    add(R"({"reasoningContent":{"reasoningText":{"text":)" + json_of(answer.reasoning) + "}}}");
  }
  if (!answer.text.empty()) add(R"({"text":)" + json_of(answer.text) + "}");
  for (const auto& call : answer.calls) {
    add(R"({"toolUse":{"toolUseId":)" + json_of(call.id) + R"(,"name":)" + json_of(call.name) +
        R"(,"input":)" + call.arguments + "}}");
  }
  return R"({"stopReason":")" + std::string(word_of(answer.stop)) + R"(","usage":)" +
         usage_of(answer) + R"(,"output":{"message":{"role":"assistant","content":[)" + content +
         R"(]}},"metrics":{"latencyMs":1}})";
}

class StreamWriter {
 public:
  std::string run(const ReadAnswer& answer) {
    put("messageStart", R"({"p":"abc","role":"assistant"})");
    if (!answer.reasoning.empty()) {
      delta(R"({"reasoningContent":{"text":)" + json_of(answer.reasoning) + "}}");
      delta(R"({"reasoningContent":{"signature":"c2ln"}})");
      stop_block();
    }
    for (std::size_t at = 0; at < answer.text.size();) {
      std::size_t size = 1;
      while (at + size < answer.text.size() && (answer.text[at + size] & 0xC0) == 0x80) ++size;
      delta(R"({"text":)" + json_of(answer.text.substr(at, size)) + "}");
      at += size;
    }
    if (!answer.text.empty()) stop_block();
    for (const auto& call : answer.calls) {
      put("contentBlockStart", R"({"start":{"toolUse":{"toolUseId":)" + json_of(call.id) +
                                   R"(,"name":)" + json_of(call.name) + "}}" + index());
      if (call.arguments != "{}") delta(R"({"toolUse":{"input":)" + json_of(call.arguments) + "}}");
      stop_block();
    }
    put("messageStop", R"({"stopReason":")" + std::string(word_of(answer.stop)) + "\"}");
    put("metadata", R"({"usage":)" + usage_of(answer) + R"(,"metrics":{"latencyMs":1}})");
    return std::move(wire_);
  }

 private:
  void put(const std::string& name, const std::string& payload) {
    wire_ += wire_event(name, payload);
  }
  std::string index() const { return R"(,"contentBlockIndex":)" + std::to_string(block_) + "}"; }
  void delta(const std::string& delta) {
    put("contentBlockDelta", R"({"delta":)" + delta + index());
  }
  void stop_block() {
    put("contentBlockStop", R"({"contentBlockIndex":)" + std::to_string(block_++) + "}");
  }

  std::string wire_;
  int block_ = 0;
};

}  // namespace causeway::converse

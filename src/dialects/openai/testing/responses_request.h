// Writes a conversation as an application asks the Responses API; for tests.
#pragma once

#include <string>

#include "core/chat.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {

inline std::string input_of(const ChatMessage& message) {
  std::string items;
  for (const auto& part : message.parts) {
    if (!items.empty()) items += ',';
    if (part.kind == ChatPart::Kind::ToolCall) {
      items += R"({"type":"function_call","call_id":)" + encode_json_string(part.id) +
               R"(,"name":)" + encode_json_string(part.name) + R"(,"arguments":)" +
               encode_json_string(part.arguments) + "}";
    } else if (part.kind == ChatPart::Kind::ToolResult) {
      items += R"({"type":"function_call_output","call_id":)" + encode_json_string(part.id) +
               R"(,"output":)" + encode_json_string(part.content.at(0).text) + "}";
    } else {
      const char* role = message.role == Role::Assistant ? "assistant"
                         : message.role == Role::User    ? "user"
                                                         : "system";
      items += R"({"role":")" + std::string(role) + R"(","content":)" +
               encode_json_string(part.text) + "}";
    }
  }
  return items;
}

inline std::string responses_request(const Chat& chat) {
  std::string body = R"({"model":"m","input":[)";
  for (const auto& message : chat.messages) {
    if (body.back() != '[') body += ',';
    body += input_of(message);
  }
  body += ']';
  if (!chat.tools.empty()) body += R"(,"tools":[)";
  for (const auto& tool : chat.tools) {
    if (body.back() != '[') body += ',';
    body += R"({"type":"function","name":)" + encode_json_string(tool.name) + R"(,"description":)" +
            encode_json_string(tool.description) + R"(,"parameters":)" + tool.schema + "}";
  }
  if (!chat.tools.empty()) body += ']';
  using Choice = ToolChoice::Kind;
  const auto choice = chat.tool_choice.kind;
  if (choice == Choice::Auto) body += R"(,"tool_choice":"auto")";
  if (choice == Choice::None) body += R"(,"tool_choice":"none")";
  if (choice == Choice::Required) body += R"(,"tool_choice":"required")";
  if (chat.max_tokens) body += ",\"max_output_tokens\":" + std::to_string(*chat.max_tokens);
  if (chat.temperature) body += ",\"temperature\":" + std::to_string(*chat.temperature);
  if (chat.top_p) body += ",\"top_p\":" + std::to_string(*chat.top_p);
  if (chat.stream) body += ",\"stream\":true";
  return body + "}";
}

}  // namespace causeway::openai

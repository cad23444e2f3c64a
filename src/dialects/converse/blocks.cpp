#include "dialects/converse/blocks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json_text.h"
#include "platform/text/ascii.h"

namespace causeway::converse {
namespace {

using Kind = ChatPart::Kind;
using text::JsonWriter;

constexpr std::size_t kLongestId = 64, kLongestName = 180;

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kDocuments = {{
    {"application/pdf", "pdf"},
    {"text/csv", "csv"},
    {"application/msword", "doc"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"text/html", "html"},
    {"text/plain", "txt"},
    {"text/markdown", "md"},
    {"text/x-markdown", "md"},
}};

bool is_letter(char c) {
  return text::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// "image/jpeg" → "jpeg"; empty where Bedrock knows no such image.
std::string_view image_format(std::string_view type) {
  if (type == "image/jpg") return "jpeg";
  for (const std::string_view known : {"image/png", "image/jpeg", "image/gif", "image/webp"}) {
    if (type == known) return known.substr(6);
  }
  return type.empty() ? "png" : std::string_view();
}

std::string_view document_format(const Media& media) {
  for (const auto& [type, format] : kDocuments) {
    if (media.type == type) return format;
  }
  const auto dot = media.name.rfind('.');
  if (media.type.empty() && dot != media.name.npos) {
    const std::string ending = text::to_lower(std::string_view(media.name).substr(dot + 1));
    for (const auto& known : kDocuments) {
      if (ending == known.second) return known.second;
    }
  }
  return media.type.empty() ? "pdf" : std::string_view();
}

}  // namespace

std::string call_id(std::string_view id) {
  std::string fit(id.substr(id.size() > kLongestId ? id.size() - kLongestId : 0));
  for (char& c : fit) {
    if (!is_letter(c) && c != '_' && c != '.' && c != ':' && c != '-') c = '_';
  }
  return fit.empty() ? "call" : fit;
}

std::string input_of(std::string_view arguments) {
  if (arguments.find_first_not_of(" \t\r\n") == arguments.npos) return "{}";
  if (is_json_object(arguments)) return std::string(arguments);
  std::string out;
  JsonWriter(out).begin_object().field("arguments", arguments).end_object();
  return out;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

void write_cache_point(JsonWriter& json, std::string_view cache) {
  json.begin_object().key("cachePoint").begin_object().field("type", "default");
  if (cache.find("\"1h\"") != cache.npos) json.field("ttl", "1h");
  json.end_object().end_object();
}

bool BlockWriter::write(JsonWriter& json, const ChatPart& part) {
  switch (part.kind) {
    case Kind::Text:
    case Kind::Refusal:
      if (!is_blank(part.text)) json.begin_object().field("text", part.text).end_object();
      return true;
    case Kind::Image:
      write_image(json, part);
      return true;
    case Kind::Document:
      write_document(json, part);
      return true;
    case Kind::Audio:
      write_audio(json, part);
      return true;
    case Kind::ToolCall:
      json.begin_object().key("toolUse").begin_object();
      json.field("toolUseId", call_id(part.id)).field("name", part.name);
      json.key("input").raw(input_of(part.arguments)).end_object().end_object();
      return true;
    case Kind::ToolResult:
      write_result(json, part);
      return true;
    case Kind::Reasoning:
      return write_reasoning(json, part);
  }
  return true;
}

void BlockWriter::write_source(JsonWriter& json, const Media& media, std::string_view what) {
  json.key("source").begin_object();
  if (!media.data.empty()) {
    json.field("bytes", media.data);
  } else if (media.url.starts_with("s3://")) {
    json.key("s3Location").begin_object().field("uri", media.url).end_object();
  } else {
    refuse(std::string(what) + " must be in the request itself, or in S3 (s3://…).");
  }
  json.end_object();
}

void BlockWriter::write_image(JsonWriter& json, const ChatPart& part) {
  const std::string_view format = image_format(part.media.type);
  if (format.empty()) refuse("an image must be PNG, JPEG, GIF or WebP.");
  json.begin_object().key("image").begin_object().field("format", format);
  write_source(json, part.media, "an image");
  json.end_object().end_object();
}

void BlockWriter::write_document(JsonWriter& json, const ChatPart& part) {
  const bool plain = !part.text.empty();
  const std::string_view format = plain ? "txt" : document_format(part.media);
  if (format.empty()) refuse("a document of this type is not known there.");
  json.begin_object().key("document").begin_object();
  json.field("format", format).field("name", name_of(part));
  if (plain) {
    json.key("source").begin_object().field("text", part.text).end_object();
  } else {
    write_source(json, part.media, "a document");
  }
  if (part.cites) json.key("citations").raw(R"({"enabled":true})");
  json.end_object().end_object();
}

// Letters, digits, single spaces, hyphens and brackets; a second document of a name gets a number.
std::string BlockWriter::name_of(const ChatPart& document) {
  std::string name;
  for (const char c : document.media.name.substr(0, kLongestName)) {
    const bool kept = is_letter(c) || std::string_view("-()[]").find(c) != std::string_view::npos;
    if (kept) {
      name += c;
    } else if (c == ' ' && !name.empty() && name.back() != ' ') {
      name += c;
    } else if (c != ' ' && (name.empty() || name.back() != '-')) {
      name += '-';
    }
  }
  if (name.find_first_not_of("- ") == name.npos) name = "document";
  const int count = ++names_[name];
  return count == 1 ? name : name + " (" + std::to_string(count) + ")";
}

void BlockWriter::write_audio(JsonWriter& json, const ChatPart& part) {
  const std::string& type = part.media.type;
  json.begin_object().key("audio").begin_object();
  json.field("format", std::string_view(type).substr(type.find('/') + 1));
  write_source(json, part.media, "audio");
  json.end_object().end_object();
}

void BlockWriter::write_result(JsonWriter& json, const ChatPart& result) {
  json.begin_object().key("toolResult").begin_object();
  json.field("toolUseId", call_id(result.id)).key("content").begin_array();
  for (const auto& part : result.content) write(json, part);
  json.end_array();
  if (result.failed) json.field("status", "error");
  json.end_object().end_object();
}

// Only what its maker has signed may be given back.
bool BlockWriter::write_reasoning(JsonWriter& json, const ChatPart& part) {
  const Seal& seal = part.seal;
  if (seal.value.empty()) return false;
  const bool redacted = seal.dialect == "converse";
  if (!redacted && (seal.dialect != "anthropic" || part.hidden)) return false;
  json.begin_object().key("reasoningContent").begin_object();
  if (redacted) {
    json.field("redactedContent", seal.value);
  } else {
    json.key("reasoningText").begin_object().field("text", part.text);
    json.field("signature", seal.value).end_object();
  }
  json.end_object().end_object();
  return true;
}

}  // namespace causeway::converse

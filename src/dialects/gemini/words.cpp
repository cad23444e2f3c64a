#include "dialects/gemini/words.h"

#include <algorithm>
#include <array>

#include "platform/crypto/text.h"
#include "platform/json/on_demand.h"

namespace causeway::gemini {
namespace {

constexpr std::string_view kMade = "gemini-call-";
constexpr std::string_view kWrapped = "causeway:";  // then the dialect, ':', and the seal

}  // namespace

Stop stop_of(std::string_view reason) {
  static constexpr std::array<std::string_view, 10> kFiltered = {
      "SAFETY",       "BLOCKLIST",        "PROHIBITED_CONTENT",       "SPII",     "RECITATION",
      "IMAGE_SAFETY", "IMAGE_RECITATION", "IMAGE_PROHIBITED_CONTENT", "LANGUAGE", "MODEL_ARMOR"};
  static constexpr std::array<std::string_view, 8> kBroken = {"MALFORMED_FUNCTION_CALL",
                                                              "UNEXPECTED_TOOL_CALL",
                                                              "TOO_MANY_TOOL_CALLS",
                                                              "MALFORMED_RESPONSE",
                                                              "OTHER",
                                                              "IMAGE_OTHER",
                                                              "NO_IMAGE",
                                                              "MISSING_THOUGHT_SIGNATURE"};
  if (reason == "STOP") return Stop::Done;
  if (reason == "MAX_TOKENS") return Stop::Length;
  if (std::find(kFiltered.begin(), kFiltered.end(), reason) != kFiltered.end()) {
    return Stop::Filtered;
  }
  if (std::find(kBroken.begin(), kBroken.end(), reason) != kBroken.end()) return Stop::Broken;
  return Stop::Unknown;
}

std::string_view reason_of(Stop stop, std::string_view raw) {
  switch (stop) {
    case Stop::Done:
    case Stop::Tools:
      return "STOP";
    case Stop::Length:
      return "MAX_TOKENS";
    case Stop::Filtered:
      return "SAFETY";
    case Stop::Broken:
      return "OTHER";
    case Stop::None:
    case Stop::Pause:
    case Stop::Unknown:
      break;
  }
  return raw.empty() ? "OTHER" : raw;
}

std::string_view camel(std::string_view key, std::string& storage) {
  if (key.find('_') == key.npos) return key;
  storage.clear();
  bool upper = false;
  for (const char c : key) {
    if (c == '_' && !storage.empty()) {
      upper = true;
      continue;
    }
    storage += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return storage;
}

std::string signature_of(const Seal& seal) {
  if (seal.dialect == "gemini" || seal.dialect.empty()) return seal.value;
  std::string bytes(kWrapped);
  bytes += seal.dialect + ":" + seal.value;
  std::string text = crypto::to_base64url(bytes);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// Clients that keep a signature as bytes may write it in the other alphabet of base64.
Seal seal_of(std::string_view signature) {
  std::string text(signature);
  while (text.ends_with('=')) text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  const auto bytes = crypto::from_base64url(text);
  if (bytes && bytes->starts_with(kWrapped)) {
    const std::string_view inner = std::string_view(*bytes).substr(kWrapped.size());
    const auto colon = inner.find(':');
    if (colon != inner.npos) {
      return {std::string(inner.substr(0, colon)), std::string(inner.substr(colon + 1))};
    }
  }
  return {"gemini", std::string(signature)};
}

std::string made_id(std::string_view answer, std::size_t number) {
  constexpr std::size_t kMost = 16;  // OpenAI takes ids of at most 40 letters
  std::string id(kMade);
  if (answer.size() > kMost) answer.remove_prefix(answer.size() - kMost);
  if (!answer.empty()) id.append(answer).append("-");
  return id + std::to_string(number);
}

bool is_made(std::string_view id) { return id.starts_with(kMade); }

std::string compact(std::string_view json) {
  std::string out(json.size(), '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size)) return std::string(json);
  out.resize(size);
  return out;
}

}  // namespace causeway::gemini

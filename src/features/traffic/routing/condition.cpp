#include "features/traffic/routing/condition.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/principal.h"
#include "core/prompt_tokens.h"
#include "features/traffic/routing/asked.h"
#include "features/traffic/routing/language.h"
#include "platform/http/server_stream.h"
#include "platform/text/ascii.h"
#include "platform/text/glob.h"

namespace causeway {

config::Names<Need> names_of(Need) {
  return {{"vision", kNeedsVision},
          {"tools", kNeedsTools},
          {"schema", kNeedsSchema},
          {"audio", kNeedsAudio},
          {"documents", kNeedsDocuments}};
}

void describe(config::Fields& f, Condition& c) {
  f.field("tenants", c.tenants, "Tenants of the caller, as patterns.").or_single();
  f.field("keys", c.keys, "Names or ids of the caller's key, as patterns.").or_single();
  f.field("roles", c.roles, "Roles, as patterns, one of which the caller has.").or_single();
  f.field("metadata", c.metadata,
          "Of the request's `metadata`: each of these has a value that fits the pattern.");
  f.field("data", c.data,
          "Classes of data that the application names, one of which is here: in the field "
          "x-causeway-data of the request's head, or as `data` in its metadata.")
      .or_single();
  f.field("found", c.found,
          "Kinds of personal data, one of which `pii` has found in the request, under whatever "
          "action; `*` stands for any. Holds as well where it has not looked, or could not read "
          "all of it.")
      .or_single();
  f.field("operations", c.operations, "What is asked for: chat, embeddings, …").or_single();
  f.field("needs", c.needs, "What the request needs, all of it.").or_single();
  f.field("tokens_over", c.tokens_over, "The prompt has more tokens, by estimate.");
  f.field("tokens_under", c.tokens_under, "The prompt has fewer tokens, by estimate.");
  f.field("complexity", c.complexity,
          "`easy`: a small local model is likely to answer the question well, going by its words, "
          "its length and what stands around it. `hard`: it is not.");
  f.field("easy_below", c.easy_below,
          "Of `complexity`: what scores less, from 0 to 1, is easy. More for a better local model.")
      .range(0.0, 1.0);
  f.field("languages", c.languages,
          "Languages, one of which the question is in, as ISO 639-1; `unknown` where it is too "
          "short to tell, or is no language.")
      .or_single()
      .check(
          [](const std::string& code) {
            const auto is_small = [](char one) { return one >= 'a' && one <= 'z'; };
            const bool known = code == "unknown" || ((code.size() == 2 || code.size() == 3) &&
                                                     std::ranges::all_of(code, is_small));
            if (!known) return std::string("must be a code like de, or unknown");
            return routing::can_tell_languages() ? std::string()
                                                 : "needs libcld2.so.0, which is not here";
          },
          "^([a-z]{2,3}|unknown)$");
}

namespace routing {

config::Names<Complexity> names_of(Complexity) {
  return {{"easy", Complexity::Easy}, {"hard", Complexity::Hard}};
}

namespace {

namespace bj = boost::json;

template <class Value>
bool any_fits(const std::vector<std::string>& patterns, const Value& value) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return text::glob_match(pattern, value); });
}

bool caller_fits(const Condition& when, const Principal* caller) {
  static const Principal kNobody;
  const Principal& who = caller ? *caller : kNobody;
  if (!when.tenants.empty() && !any_fits(when.tenants, who.tenant)) return false;
  if (!when.keys.empty() && !any_fits(when.keys, who.key_name) &&
      !any_fits(when.keys, who.key_id)) {
    return false;
  }
  return when.roles.empty() || std::ranges::any_of(who.roles, [&](const std::string& role) {
           return any_fits(when.roles, role);
         });
}

/// The request's metadata (Gemini calls them labels).
struct Metadata {
  bj::object values;
  bool readable = true;  // or there is none
};

Metadata metadata_of(const Exchange& exchange) {
  Metadata metadata;
  for (const std::string_view name : {"metadata", "labels"}) {
    const auto* member = exchange.index.member(name);
    if (!member) continue;
    bj::error_code failed;
    bj::value value = bj::parse(exchange.index.bytes(member->value), failed);
    metadata.readable &= !failed && (value.is_object() || value.is_null());
    if (failed || !value.is_object()) continue;
    for (auto& entry : value.as_object())
      metadata.values.insert_or_assign(entry.key(), entry.value());
  }
  return metadata;
}

std::string_view text_in(const bj::object& object, std::string_view name) {
  const bj::value* found = object.if_contains(name);
  return found && found->is_string() ? std::string_view(found->as_string()) : std::string_view();
}

bool metadata_fits(const Condition& when, const Exchange& exchange) {
  if (when.metadata.empty()) return true;
  const bj::object metadata = metadata_of(exchange).values;
  return std::ranges::all_of(when.metadata, [&](const auto& entry) {
    return metadata.contains(entry.name) &&
           text::glob_match(entry.value, text_in(metadata, entry.name));
  });
}

// Names between commas, semicolons, spaces or quotes.
void add_classes(std::string_view list, std::vector<std::string>& to) {
  constexpr std::string_view kBetween = ",; \t\"'[]";
  while (!list.empty()) {
    const auto begin = std::min(list.find_first_not_of(kBetween), list.size());
    list.remove_prefix(begin);
    const auto end = std::min(list.find_first_of(kBetween), list.size());
    if (end > 0) to.push_back(text::to_lower(list.substr(0, end)));
    list.remove_prefix(end);
  }
}

// Metadata that cannot be read may name any class: then the rule holds.
bool data_fits(const Condition& when, const Exchange& exchange) {
  if (when.data.empty()) return true;
  if (!metadata_of(exchange).readable) return true;
  const auto named = data_classes(exchange);
  return std::ranges::any_of(named,
                             [&](const std::string& name) { return any_fits(when.data, name); });
}

// What the provider adds by itself to the prompt.
bool has_words_elsewhere(const RequestIndex& index) {
  for (const std::string_view name :
       {"cachedContent", "cached_content", "previous_response_id", "conversation", "container"}) {
    if (index.member(name)) return true;
  }
  return false;
}

// What was not looked through is not known to be free of it: then the rule holds.
bool found_fits(const Condition& when, const Exchange& exchange) {
  if (when.found.empty()) return true;
  const bool unread = exchange.index.has_unread_content || exchange.index.unread_elsewhere ||
                      has_words_elsewhere(exchange.index) ||
                      exchange.operation->body != BodyKind::Json;
  if (!exchange.searched || unread) return true;
  return std::ranges::any_of(exchange.fired, [&](const Fired& fired) {
    return fired.stage == "pii" && fired.count > 0 && any_fits(when.found, fired.kind);
  });
}

bool size_fits(const Condition& when, const Exchange& exchange) {
  if (!when.tokens_over && !when.tokens_under) return true;
  const auto tokens = prompt_tokens(exchange, 0);
  return (!when.tokens_over || tokens > *when.tokens_over) &&
         (!when.tokens_under || tokens < *when.tokens_under);
}

bool needs_fit(const Condition& when, const Exchange& exchange) {
  if (when.needs.empty()) return true;
  const Needs has = needs_of(exchange.index);
  return std::ranges::all_of(when.needs, [&](Need need) { return (has & need) != 0; });
}

// The text is read as it will be sent: a stand-in's language is that of the text around it.
bool question_fits(const Condition& when, const Exchange& exchange) {
  if (!when.complexity && when.languages.empty()) return true;
  std::string joined;
  const auto question = question_of(const_cast<Exchange&>(exchange).request, joined);
  if (when.complexity) {
    const bool schema = (needs_of(exchange.index) & kNeedsSchema) != 0;
    const ChatShape chat = shape_of(question, exchange.index, schema);
    if (complexity_of(chat, when.easy_below) != *when.complexity) return false;
  }
  return when.languages.empty() || std::ranges::count(when.languages, language_of(question)) > 0;
}

bool mentions(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

// By the part's own words: {"type":"image_url",…}, {"inlineData":{"mimeType":"image/png",…}}.
Needs need_of_part(std::string_view part) {
  const std::string_view begin = part.substr(0, 400);
  if (mentions(begin, "\"image") || mentions(begin, "\"input_image")) return kNeedsVision;
  if (mentions(begin, "audio")) return kNeedsAudio;
  return kNeedsDocuments;
}

}  // namespace

std::string_view to_string(Need need) {
  switch (need) {
    case kNeedsVision:
      return "vision";
    case kNeedsTools:
      return "tools";
    case kNeedsSchema:
      return "schema";
    case kNeedsAudio:
      return "audio";
    case kNeedsDocuments:
      return "documents";
  }
  return "";
}

Needs needs_of(const RequestIndex& index) {
  Needs needs = index.has_tools ? kNeedsTools : 0;
  for (const ByteRange part : index.unread) needs |= need_of_part(index.bytes(part));
  for (const std::string_view name :
       {"response_format", "text", "output_config", "output_format", "generationConfig"}) {
    const auto* member = index.member(name);
    if (!member) continue;
    const std::string_view value = index.bytes(member->value);
    if (mentions(value, "\"json_schema\"") || mentions(value, "\"responseSchema\"") ||
        mentions(value, "\"responseJsonSchema\"") || mentions(value, "\"response_schema\"")) {
      needs |= kNeedsSchema;
    }
  }
  return needs;
}

std::vector<std::string> data_classes(const Exchange& exchange) {
  std::vector<std::string> named;
  for (const auto& field : exchange.head().fields) {
    if (http::same_name(field.name, "x-causeway-data")) add_classes(field.value, named);
  }
  const bj::object metadata = metadata_of(exchange).values;
  if (const bj::value* data = metadata.if_contains("data")) {
    const bool text = data->is_string();
    add_classes(text ? std::string_view(data->as_string()) : bj::serialize(*data), named);
  }
  return named;
}

bool holds(const Condition& when, const Exchange& exchange) {
  if (!caller_fits(when, exchange.principal)) return false;
  if (!when.operations.empty() &&
      !any_fits(when.operations, causeway::to_string(exchange.operation->kind))) {
    return false;
  }
  return found_fits(when, exchange) && needs_fit(when, exchange) && size_fits(when, exchange) &&
         data_fits(when, exchange) && metadata_fits(when, exchange) &&
         question_fits(when, exchange);
}

}  // namespace routing
}  // namespace causeway

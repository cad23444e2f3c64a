// Bodies of requests in OpenAI's form. What is accepted must mean the same to Boost.JSON (model,
// stream, every text that stages may see), and after edits, inserted and dropped messages the body
// must still be a request that says what the view says, with all other bytes as they came.
#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dialects/openai/dialect.h"

namespace {

using namespace causeway;
namespace json = boost::json;

constexpr std::size_t kPadding = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A body with padding behind it that belongs to nobody, and what the dialect made of it.
struct Read {
  explicit Read(std::string_view bytes, OperationKind kind)
      : memory(std::make_unique<char[]>(bytes.size() + kPadding)) {
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    operation.kind = kind;
    result = openai::OpenAiDialect().read(operation, {}, {memory.get(), bytes.size()}, index);
  }
  std::unique_ptr<char[]> memory;
  Operation operation;
  RequestIndex index;
  Result<void> result;
};

json::value parse(std::string_view bytes, json::error_code& error) {
  json::parse_options options;
  options.max_depth = 4096;
  return json::parse(bytes, error, {}, options);
}

std::optional<json::value> parsed(std::string_view bytes) {
  json::error_code error;
  json::value value = parse(bytes, error);
  if (error) return std::nullopt;
  return value;
}

/// Boost.JSON makes a number of every number; one with such an exponent is JSON all the same.
bool is_beyond_boost(std::string_view bytes) {
  json::error_code error;
  parse(bytes, error);
  return error == json::error::exponent_overflow;
}

/// The texts of a request in the order of the body, found in Boost.JSON's tree.
class Texts {
 public:
  static std::vector<std::string> of(const json::object& body, OperationKind kind) {
    Texts texts;
    const bool chat = kind == OperationKind::Chat;
    for (const auto& [key, value] : body) {
      if (key == "user" || key == "safety_identifier") texts.add(value);
      if (key == "metadata") texts.each_member(value, [&](auto, auto& v) { texts.add(v); });
      if (chat && key == "messages") texts.each(value, [&](auto& v) { texts.message(v); });
      if (chat && (key == "tools" || key == "functions")) texts.tools(value);
      if (chat && key == "prediction") texts.prediction(value);
      if (kind == OperationKind::Completion && (key == "prompt" || key == "suffix")) {
        texts.add(value);
        if (key == "prompt") texts.each(value, [&](auto& v) { texts.add(v); });
      }
      if (kind == OperationKind::Embeddings && key == "input") {
        texts.add(value);
        texts.each(value, [&](auto& v) { texts.add(v); });
      }
    }
    return std::move(texts.found_);
  }

 private:
  void add(const json::value& value) {
    if (const auto* text = value.if_string()) found_.emplace_back(*text);
  }
  template <class Visit>
  void each(const json::value& value, Visit visit) {
    const auto* array = value.if_array();
    if (!array) return;
    for (const json::value& element : *array) visit(element);
  }
  template <class Visit>
  void each_member(const json::value& value, Visit visit) {
    const auto* object = value.if_object();
    if (!object) return;
    for (const auto& [key, member] : *object) visit(key, member);
  }
  void message(const json::value& value) {
    each_member(value, [&](auto key, auto& v) {
      if (key == "content") add(v), each(v, [&](auto& item) { part(item); });
      if (key == "name" || key == "refusal") add(v);
      if (key == "reasoning_content" || key == "reasoning") add(v);
      if (key == "function_call") member_of(v, "arguments");
      if (key == "tool_calls") each(v, [&](auto& item) { call(item); });
    });
  }
  void part(const json::value& value) {
    each_member(value, [&](auto key, auto& v) {
      if (key == "text" || key == "refusal") add(v);
      if (key == "file") {
        each_member(v, [&](auto inner, auto& text) {
          if (inner == "filename" || inner == "file_data") add(text);
        });
      }
    });
  }
  void call(const json::value& value) {
    each_member(value, [&](auto key, auto& v) {
      if (key == "function") member_of(v, "arguments");
      if (key == "custom") member_of(v, "input");
    });
  }
  void tools(const json::value& value) {
    each(value, [&](auto& tool) {
      each_member(tool, [&](auto key, auto& v) {
        if (key == "description") add(v);
        if (key == "function") member_of(v, "description");
      });
    });
  }
  void prediction(const json::value& value) {
    each_member(value, [&](auto key, auto& v) {
      if (key != "content") return;
      add(v);
      each(v, [&](auto& item) { member_of(item, "text"); });
    });
  }
  void member_of(const json::value& value, std::string_view name) {
    each_member(value, [&](auto key, auto& v) {
      if (key == json::string_view(name.data(), name.size())) add(v);
    });
  }

  std::vector<std::string> found_;
};

/// Texts that the dialect knows by their names. What another string means, only its reader knows:
/// with other words in it the request may be refused.
std::vector<std::string> texts_of(Request& request) {
  std::vector<std::string> all;
  for (const Text& text : request.texts()) {
    if (text.where().kind != TextKind::Other) all.emplace_back(text.get());
  }
  return all;
}

void same_as_boost(const Read& read) {
  const auto tree = parsed(read.index.body);
  require(tree.has_value() && tree->is_object());
  const json::object& body = tree->get_object();
  require(std::string_view(body.at("model").as_string()) == read.index.model);
  const auto* stream = body.if_contains("stream");
  require(read.index.stream == (stream && stream->is_bool() && stream->get_bool()));
  Request request(read.index);
  require(texts_of(request) == Texts::of(body, read.operation.kind));
  require(request.joined() == read.index.body);
}

/// The edited body read anew says what the fork said.
void same_when_read_again(Request& fork, OperationKind kind) {
  const std::string joined = fork.joined();
  require(parsed(joined).has_value());
  Read again(joined, kind);
  require(again.result.has_value());
  Request request(again.index);
  require(texts_of(request) == texts_of(fork));
}

void edit_a_text(const Read& read, const Request& request, std::uint8_t choice) {
  if (request.text_count() == 0) return;
  const std::uint32_t number = choice % request.text_count();
  const std::string with = "edited \"\\\n\x01\u00e9";
  Request fork = request.fork();
  fork.text(number).set(with);
  require(fork.text(number).get() == with);
  const ByteRange range = read.index.texts[number].value;
  const std::string_view body = read.index.body;
  require(fork.joined() == std::string(body.substr(0, range.begin)) + encode_json_string(with) +
                               std::string(body.substr(range.end)));
  if (read.index.texts[number].where.kind == TextKind::Other) {
    require(parsed(fork.joined()).has_value());
  } else {
    same_when_read_again(fork, read.operation.kind);
  }
}

void insert_and_drop(const Read& read, const Request& request, std::uint8_t choice) {
  const auto& messages = read.index.messages;
  if (read.operation.kind != OperationKind::Chat) return;
  Request fork = request.fork();
  const std::size_t place = choice % (messages.size() + 1);
  require(fork.insert(place, {Role::System, "inserted \"here\""}).has_value());
  require(fork.insert(choice % 3, {Role::User, "and here"}).has_value());
  const bool first = choice & 0x80 && !read.index.texts.empty() &&
                     read.index.texts[0].where.kind != TextKind::Other;
  if (first) fork.text(0).set("first");
  fork.drop((choice >> 2) % messages.size());
  same_when_read_again(fork, read.operation.kind);

  // What stands around the list, and each message that stayed, is as it came.
  if (first) return;
  const std::string joined = fork.joined();
  const std::string_view body = read.index.body;
  const ByteRange list = read.index.messages_array;
  require(joined.starts_with(body.substr(0, list.begin)));
  require(joined.ends_with(body.substr(list.end)));
  std::size_t at = list.begin;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i == (choice >> 2) % messages.size()) continue;
    at = joined.find(read.index.bytes(messages[i].value), at);
    require(at != std::string::npos);
    at += messages[i].value.end - messages[i].value.begin;
  }
}

void address(const Read& read, const Request& request) {
  Request fork = request.fork();
  openai::OpenAiDialect().address(read.operation, "up/\"stream\"", true, fork);
  same_when_read_again(fork, read.operation.kind);
  Read again(fork.joined(), read.operation.kind);
  require(again.index.model == "up/\"stream\"");
  require(again.index.stream == read.index.stream);
  require(again.index.usage_wanted || !again.index.stream ||
          read.operation.kind == OperationKind::Embeddings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr OperationKind kKinds[] = {OperationKind::Chat, OperationKind::Chat,
                                      OperationKind::Completion, OperationKind::Embeddings};
  const OperationKind kind = kKinds[data[0] % 4];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Read read(bytes, kind);
  if (!read.result) {
    // Only what is JSON to nobody may be refused for not being JSON.
    require(read.result.error().code != "invalid_json" || !parsed(bytes));
    return 0;
  }
  if (is_beyond_boost(bytes)) return 0;
  same_as_boost(read);
  const Request request(read.index);
  edit_a_text(read, request, data[1]);
  insert_and_drop(read, request, data[1]);
  address(read, request);
  return 0;
}

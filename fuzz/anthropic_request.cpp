// Bodies of requests in Anthropic's form. What is accepted must be JSON to Boost.JSON too, and say
// the same of model and stream; after edits, inserted and dropped messages the body must still be a
// request that says what the view says; and decoding it for another dialect must end, well or with
// an error.
#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dialects/anthropic/dialect.h"

namespace {

using namespace causeway;
namespace json = boost::json;

constexpr std::size_t kPadding = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A body with padding behind it that belongs to nobody, and what the dialect made of it.
struct Read {
  explicit Read(std::string_view bytes)
      : memory(std::make_unique<char[]>(bytes.size() + kPadding)) {
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    result = anthropic::AnthropicDialect().read({}, {}, {memory.get(), bytes.size()}, index);
  }
  std::unique_ptr<char[]> memory;
  RequestIndex index;
  Result<void> result;
};

json::value parse(std::string_view bytes, json::error_code& error) {
  json::parse_options options;
  options.max_depth = 4096;
  return json::parse(bytes, error, {}, options);
}

/// Texts that the dialect knows by their names. What another string means, only its reader knows:
/// with other words in it the request may be refused.
std::vector<std::string> texts_of(Request& request) {
  std::vector<std::string> all;
  for (const Text& text : request.texts()) {
    if (text.where().kind != TextKind::Other) all.emplace_back(text.get());
  }
  return all;
}

/// The edited body read anew says what the fork said.
void same_when_read_again(Request& fork) {
  const std::string joined = fork.joined();
  Read again(joined);
  if (!again.result && again.result.error().message == "\"messages\" is empty") return;
  require(again.result.has_value());
  Request request(again.index);
  require(texts_of(request) == texts_of(fork));
}

void edit(const Read& read, const Request& request, std::uint8_t choice) {
  Request fork = request.fork();
  if (fork.text_count() > 0) {
    const std::uint32_t number = choice % fork.text_count();
    const std::string with = "edited \"\\\n\x01\u00e9";
    fork.text(number).set(with);
    require(fork.text(number).get() == with);
    if (fork.text(number).where().kind == TextKind::Other) {
      json::error_code error;
      parse(fork.joined(), error);
      require(!error || error == json::error::exponent_overflow);
      fork = request.fork();
    } else {
      same_when_read_again(fork);
    }
  }
  const auto& messages = read.index.messages;
  require(fork.insert(choice % (messages.size() + 1), {Role::User, "and here"}).has_value());
  require(fork.insert(choice & 1, {Role::System, "inserted \"here\""}).has_value());
  require(fork.insert(choice & 2, {Role::System, "and there"}).has_value());
  fork.drop((choice >> 2) % messages.size());
  anthropic::AnthropicDialect().address({}, "up/\"stream\"", true, fork);
  same_when_read_again(fork);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Read read(bytes);
  json::error_code error;
  const json::value tree = parse(bytes, error);
  if (!read.result) {
    // Only what is JSON to nobody may be refused for not being JSON.
    require(read.result.error().code != "invalid_json" || error);
    return 0;
  }
  // Boost.JSON makes a number of every number; one with such an exponent is JSON all the same.
  if (error == json::error::exponent_overflow) return 0;
  require(!error && tree.is_object());
  require(std::string_view(tree.at("model").as_string()) == read.index.model);
  const auto* stream = tree.get_object().if_contains("stream");
  require(read.index.stream == (stream && stream->is_bool() && stream->get_bool()));
  const Request request(read.index);
  require(request.joined() == read.index.body);
  edit(read, request, data[0]);
  const anthropic::AnthropicDialect dialect;
  if (const auto chat = dialect.decode({}, request)) {
    LeftOut left_out;
    if (const auto body = dialect.encode(*chat, "claude-sonnet-4-5", left_out)) {
      parse(*body, error);
      require(!error || error == json::error::exponent_overflow);
    }
  }
  return 0;
}

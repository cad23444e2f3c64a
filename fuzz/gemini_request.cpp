// Bodies of requests in Gemini's form. What is accepted must be JSON to Boost.JSON too, and after
// edits, inserted and dropped messages the body must still be a request that says what the view
// says. What can be decoded is said again in Gemini's words and decoded to the same.
#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "dialects/gemini/dialect.h"

namespace {

using namespace causeway;

constexpr std::size_t kPadding = 64;

void require(bool holds) {
  if (!holds) std::abort();
}

const gemini::GeminiDialect kGemini;

/// A body with padding behind it that belongs to nobody, and what the dialect made of it.
struct Read {
  Read(std::string_view bytes, OperationKind kind, std::string_view method)
      : memory(std::make_unique<char[]>(bytes.size() + kPadding)) {
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    operation.kind = kind;
    operation.path = "/v1beta/models/*" + std::string(method);
    operation.dialect = &kGemini;
    result = kGemini.read(operation, "m%20x", {memory.get(), bytes.size()}, index);
  }
  std::unique_ptr<char[]> memory;
  Operation operation;
  RequestIndex index;
  Result<void> result;
};

enum class Verdict { Yes, No, BeyondBoost };

/// Boost.JSON makes a number of every number: of one with too large an exponent it cannot say.
Verdict judge(std::string_view bytes) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = 4096;
  boost::json::parse(bytes, error, {}, options);
  if (!error) return Verdict::Yes;
  return error == boost::json::error::exponent_overflow ? Verdict::BeyondBoost : Verdict::No;
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

void same_when_read_again(Request& fork, const Read& read) {
  const std::string joined = fork.joined();
  const std::string_view method =
      std::string_view(read.operation.path).substr(std::strlen("/v1beta/models/*"));
  Read again(joined, read.operation.kind, method);
  require(again.result.has_value());
  Request request(again.index);
  require(texts_of(request) == texts_of(fork));
}

void edit(const Read& read, std::uint8_t choice) {
  Request request(read.index);
  require(request.joined() == read.index.body);
  if (request.text_count() > 0) {
    Request fork = request.fork();
    Text text = fork.text(choice % request.text_count());
    text.set("edited \"\\\n\x01\u00e9");
    if (text.where().kind == TextKind::Other) {
      require(judge(fork.joined()) != Verdict::No);
    } else {
      same_when_read_again(fork, read);
    }
  }
  if (read.operation.kind != OperationKind::Chat) return;
  Request fork = request.fork();
  const std::size_t messages = read.index.messages.size();
  require(fork.insert(choice % (messages + 1), {Role::System, "inserted \"here\""}).has_value());
  require(fork.insert(choice % 3, {Role::User, "and here"}).has_value());
  fork.drop((choice >> 2) % messages);
  same_when_read_again(fork, read);
}

void translate(const Read& read) {
  if (read.operation.kind == OperationKind::Embeddings) {
    const auto request = kGemini.decode_embedding(read.operation, Request(read.index));
    LeftOut left_out;
    if (request) require(kGemini.encode_embedding(*request, "m", left_out).has_value());
    return;
  }
  if (read.operation.kind != OperationKind::Chat) return;
  const auto chat = kGemini.decode(read.operation, Request(read.index));
  if (!chat) return;
  LeftOut left_out;
  const auto said = kGemini.encode(*chat, "m", left_out);
  if (!said) return;
  require(judge(*said) != Verdict::No);
  Read again(*said, OperationKind::Chat, gemini::kGenerate);
  if (!again.result) {
    // A tool that spoke of an object with a member twice, or of a very deep one.
    require(again.result.error().code != "invalid_json");
    return;
  }
  const auto second = kGemini.decode(again.operation, Request(again.index));
  require(second.has_value());
  const auto twice = kGemini.encode(*second, "m", left_out);
  require(twice.has_value() && *twice == *said);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr std::pair<OperationKind, std::string_view> kMethods[] = {
      {OperationKind::Chat, gemini::kGenerate},
      {OperationKind::Chat, gemini::kStream},
      {OperationKind::CountTokens, gemini::kCount},
      {OperationKind::Embeddings, gemini::kEmbedBatch}};
  const auto& [kind, method] = kMethods[data[0] % 4];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Read read(bytes, kind, method);
  if (!read.result) {
    // Only what is JSON to nobody may be refused for not being JSON.
    require(read.result.error().code != "invalid_json" || judge(bytes) != Verdict::Yes);
    return 0;
  }
  require(judge(bytes) != Verdict::No);
  edit(read, data[1]);
  translate(read);
  return 0;
}

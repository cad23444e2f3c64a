// The probabilities of a chat completion's tokens: asked for, and read.
#include "core/logprobs.h"

#include "dialects/openai/dialect.h"
#include "platform/http/sse.h"
#include "platform/json/on_demand.h"

namespace causeway::openai {
namespace {

namespace od = simdjson::ondemand;
using json::each_element, json::each_member;

class Reader final : public LogprobReader {
 public:
  void feed(std::string_view piece) override {
    sse_.feed(piece);
    http::SseEvent event;
    for (auto more = sse_.next(event); more && *more; more = sse_.next(event)) {
      if (event.data == "[DONE]") {
        end();
      } else if (!event.data.empty()) {
        parse(event.data);
      }
    }
  }

  void whole(std::string_view body) override {
    parse(body);
    end();
  }

 private:
  // What is no JSON is for the answer's own reader to say.
  void parse(std::string_view data) {
    try {
      json::with_parser(data.size(), [&](od::parser& parser) {
        od::document document =
            parser.iterate(data.data(), data.size(), data.size() + simdjson::SIMDJSON_PADDING);
        each_member(json::take(document.get_object()), [&](std::string_view key, od::value value) {
          if (key == "choices") each_element(value, [&](od::value choice) { read(choice); });
          if (key == "error" && !json::is_null(value)) end();
        });
      });
    } catch (const simdjson::simdjson_error&) {
      end();
    }
  }

  void read(od::value choice) {
    each_member(choice, [&](std::string_view key, od::value logprobs) {
      if (key != "logprobs") return;
      each_member(logprobs, [&](std::string_view, od::value list) {  // content, refusal
        each_element(list, [&](od::value token) {
          each_member(token, [&](std::string_view name, od::value number) {
            if (name != "logprob") return;
            if (const auto logprob = json::number_of(number)) add(*logprob);
          });
        });
      });
    });
  }

  http::SseReader sse_;
};

}  // namespace

std::unique_ptr<LogprobReader> OpenAiDialect::logprob_reader() const {
  return std::make_unique<Reader>();
}

// With one alternative: llama-server tells nothing of a token where none is asked for.
void OpenAiDialect::ask_for_logprobs(Request& request) const {
  if (wants_logprobs(request.index())) return;
  request.set_member("logprobs", "true");
  request.set_member("top_logprobs", "1");
}

bool OpenAiDialect::wants_logprobs(const RequestIndex& index) const {
  const auto* member = index.member("logprobs");
  return member && index.bytes(member->value) == "true";
}

}  // namespace causeway::openai

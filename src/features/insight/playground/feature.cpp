#include "features/insight/playground/feature.h"

#include <algorithm>

#include "core/error.h"
#include "features/insight/playground/asked.h"
#include "platform/text/json_writer.h"
#include "platform/text/utf8.h"

namespace causeway::playground {
namespace {

constexpr int kMostRunning = 16;

std::string event(std::string_view name, std::string_view data) {
  std::string text = "event: ";
  text.append(name).append("\ndata: ").append(data).append("\n\n");
  return text;
}

// A piece may end inside of a letter; the rest of it comes with the next one.
Task<Result<void>> write_piece(AdminSink& sink, std::string& tail, std::string piece) {
  piece.insert(0, std::exchange(tail, {}));
  const std::size_t whole = piece.size() - text::utf8_incomplete_tail(piece);
  tail = piece.substr(whole);
  piece.resize(whole);
  std::string data;
  text::JsonWriter json(data);
  json.begin_object().field("data", piece).end_object();
  auto writing = sink.write(event("piece", data));
  co_return co_await std::move(writing);
}

void write_sent(text::JsonWriter& json, const Sent& sent) {
  json.field("request_id", sent.request_id);
  json.key("sent").begin_object();
  json.field("provider", sent.provider).field("model", sent.model).field("body", sent.body);
  json.field("answer", sent.answer);
  json.end_object();
}

std::string done_event(const Answer& answer, const Sent& sent) {
  std::string data;
  text::JsonWriter json(data);
  json.begin_object().field("status", answer.status).key("fields").begin_object();
  for (const auto& [name, value] : answer.fields) json.field(name, value);
  json.end_object();
  write_sent(json, sent);
  json.end_object();
  return event("done", data);
}

std::string error_event(const Error& error, const Sent& sent) {
  std::string data;
  text::JsonWriter json(data);
  json.begin_object().field("status", http_status(error));
  json.field("code", error_code(error));
  json.field("message", error.message);
  write_sent(json, sent);
  json.end_object();
  return event("error", data);
}

struct Running {
  explicit Running(int& count) : count_(count) { ++count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { --count_; }
  int& count_;
};

}  // namespace

std::vector<AdminRoute> PlaygroundFeature::routes() {
  return {{http::Method::Post, "/api/playground",
           "Asks a model as an application would, or a recorded request again; the answer comes as "
           "server-sent events, and at its end what the provider got. With \"explain\": true "
           "nothing is sent, and the reply says which targets would be tried, and why.",
           true, [this](AdminRequest request) { return ask(std::move(request)); }}};
}

Task<Result<void>> PlaygroundFeature::look_up(Asked& asked) {
  std::move_only_function<Result<Recorded>()> job = [this, id = asked.trace] {
    return parts_.recorded(id);
  };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto recorded = co_await std::move(task);
  if (!recorded) co_return pass(std::move(recorded));
  co_return take_recorded(asked, *recorded, parts_.snapshot()->operations);
}

Task<AdminReply> PlaygroundFeature::ask(AdminRequest request) {
  auto read = read_asked(request);
  if (!read) co_return admin_error(read.error());
  auto asked = std::make_shared<Asked>(std::move(*read));
  if (!asked->trace.empty()) {
    auto looking = look_up(*asked);
    auto found = co_await std::move(looking);
    if (!found) co_return admin_error(found.error());
  }
  if (running_ >= kMostRunning) {
    const auto busy =
        fail(ErrorKind::Overloaded, Origin::Us,
             "Sixteen questions of the playground are being answered already.", "playground_busy");
    co_return admin_error(busy.error());
  }
  if (asked->explain) co_return co_await explain(std::move(asked));
  AdminReply reply;
  reply.content_type = "text/event-stream";
  reply.stream = [this, asked](AdminSink& sink) { return answer(asked, sink); };
  co_return reply;
}

Task<AdminReply> PlaygroundFeature::explain(std::shared_ptr<const Asked> asked) {
  const Running running(running_);
  Question question;
  question.principal = &asked->principal;
  question.path = asked->path;
  question.body = asked->body;
  question.explain = true;
  Asker* asker = parts_.asker();
  if (!asker) {
    const auto ending =
        fail(ErrorKind::Unavailable, Origin::Us, "The gateway is starting or shutting down.");
    co_return admin_error(ending.error());
  }
  auto asking = asker->ask(std::move(question));
  auto result = co_await std::move(asking);
  if (!result) co_return admin_error(result.error());
  AdminReply reply;
  reply.body = std::move(result->body);
  co_return reply;
}

Task<void> PlaygroundFeature::answer(std::shared_ptr<const Asked> asked, AdminSink& sink) {
  const Running running(running_);
  Sent sent;
  std::string tail;
  Question question;
  question.principal = &asked->principal;
  question.path = asked->path;
  question.body = asked->body;
  question.cancel = &sink.gone();
  question.sent = &sent;
  question.sink = [&sink, &tail](std::string_view piece) {
    return write_piece(sink, tail, std::string(piece));
  };
  Asker* asker = parts_.asker();
  Result<Answer> result =
      fail(ErrorKind::Unavailable, Origin::Us, "The gateway is starting or shutting down.");
  if (asker) {
    auto asking = asker->ask(std::move(question));
    result = co_await std::move(asking);
  }
  if (result && !result->body.empty()) {
    auto whole = write_piece(sink, tail, std::move(result->body));
    (void)co_await std::move(whole);
  }
  auto end = sink.write(result ? done_event(*result, sent) : error_event(result.error(), sent));
  (void)co_await std::move(end);
}

}  // namespace causeway::playground

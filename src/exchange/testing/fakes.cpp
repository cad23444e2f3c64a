#include "exchange/testing/fakes.h"

#include "core/stage.h"
#include "platform/http/buffers_full.h"

namespace causeway::exchange::testing {
namespace {

constexpr std::size_t kPadding = 64;

std::string joined(std::span<const std::string_view> pieces) {
  std::string all;
  for (const auto piece : pieces) all += piece;
  return all;
}

class FakeAnswer final : public http::ClientStream {
 public:
  FakeAnswer(Script script, Cancel& cancel) : script_(std::move(script)), cancel_(cancel) {
    for (const auto& [name, value] : script_.fields) fields_.push_back({name, value});
    head_ = {script_.status, fields_};
  }
  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read() override {
    if (script_.before_piece) script_.before_piece(next_);
    if (cancel_.requested()) {
      co_return fail(ErrorKind::Cancelled, Origin::Client, "the caller left");
    }
    if (next_ == script_.pieces.size()) {
      if (script_.cut) {
        auto cut = fail(ErrorKind::UpstreamBroken, Origin::Upstream, "cut", "upstream_cut");
        cut.error().retryable = true;
        co_return cut;
      }
      co_return std::string_view();
    }
    piece_ = script_.pieces[next_++];
    piece_.reserve(piece_.size() + kPadding);
    co_return std::string_view(piece_);
  }
  Task<Result<std::string_view>> read_all(std::size_t, MayHold may_hold) override {
    all_ = joined(std::vector<std::string_view>(script_.pieces.begin(), script_.pieces.end()));
    all_.reserve(all_.size() + kPadding);
    if (may_hold && !may_hold(all_.size())) co_return http::buffers_full();
    if (script_.cut) {
      co_return fail(ErrorKind::UpstreamBroken, Origin::Upstream, "cut", "upstream_cut");
    }
    co_return std::string_view(all_);
  }

 private:
  Script script_;
  Cancel& cancel_;
  std::vector<http::Field> fields_;
  http::ResponseHead head_;
  std::size_t next_ = 0;
  std::string piece_, all_;
};

/// Stands for identify, resolve and choose.
class Entry final : public Stage {
 public:
  explicit Entry(const Principal& principal) : principal_(principal) {}
  std::string_view name() const override { return "entry"; }
  unsigned hooks() const override { return kOnHead | kOnRequest; }
  bool before_policy() const override { return true; }
  Verdict on_head(Exchange& exchange) override {
    if (!exchange.internal) exchange.principal = &principal_;
    return go_on();
  }
  Verdict on_request(Exchange& exchange) override {
    exchange.model_name = exchange.index.model;
    exchange.policy = &exchange.snapshot->effective(0);
    const auto found = exchange.snapshot->models.find(exchange.model_name);
    if (found == exchange.snapshot->models.end()) return go_on();
    exchange.model = &found->second;
    for (const auto& target : exchange.model->targets) exchange.targets.push_back(&target);
    return go_on();
  }

 private:
  const Principal& principal_;
};

}  // namespace

FakeStream::FakeStream(http::Method method, std::string target, std::string request_body,
                       std::vector<std::pair<std::string, std::string>> given)
    : target_(std::move(target)),
      method_(http::to_string(method)),
      request_body_(std::move(request_body)),
      storage_(std::move(given)) {
  request_body_.reserve(request_body_.size() + kPadding);
  for (const auto& [name, value] : storage_) views_.push_back({name, value});
  head_.method = method;
  head_.method_text = method_;
  head_.target = head_.path = target_;
  head_.fields = views_;
  head_.content_length = request_body_.size();
}

Task<Result<std::string_view>> FakeStream::read_body(std::size_t) {
  co_return std::string_view(request_body_);
}
Task<Result<std::string_view>> FakeStream::read_some() { co_return std::string_view(); }

void FakeStream::take_head(int code, std::span<const http::Field> given) {
  status = code;
  for (const auto& field : given) fields[std::string(field.name)] = field.value;
}

Task<Result<void>> FakeStream::reply(int code, std::span<const http::Field> given,
                                     std::span<const std::string_view> pieces) {
  take_head(code, given);
  body = joined(pieces);
  finished = true;
  if (gone_) co_return fail(ErrorKind::Cancelled, Origin::Client, "gone");
  co_return Result<void>{};
}

bool FakeStream::hold(std::size_t bytes) {
  if (bytes > budget) return false;
  held = bytes;
  return true;
}

void FakeStream::begin(int code, std::span<const http::Field> given) { take_head(code, given); }

Task<Result<void>> FakeStream::write(std::span<const std::string_view> pieces) {
  if (gone_) co_return fail(ErrorKind::Cancelled, Origin::Client, "gone");
  writes.push_back(joined(pieces));
  body += writes.back();
  co_return Result<void>{};
}

Task<Result<void>> FakeStream::finish() {
  finished = true;
  co_return Result<void>{};
}

void FakeStream::leave() {
  gone_ = true;
  if (auto action = std::exchange(on_gone_, nullptr)) action();
}

Task<Result<std::unique_ptr<http::ClientStream>>> FakeClient::call(
    const http::Endpoint&, const http::ClientRequest& request, Cancel& cancel) {
  sent.push_back(joined(request.body));
  targets.emplace_back(request.target);
  if (scripts.empty()) co_return fail(ErrorKind::Internal, Origin::Us, "no script is left");
  Script script = std::move(scripts.front());
  scripts.pop_front();
  if (script.refused) {
    auto refused = fail(ErrorKind::ConnectFailed, Origin::Upstream, "refused");
    refused.error().retryable = true;
    co_return refused;
  }
  co_return std::unique_ptr<http::ClientStream>(new FakeAnswer(std::move(script), cancel));
}

Result<Call> FakeProvider::address(const Exchange& exchange, Attempt&) const {
  Call call;
  call.endpoint = &endpoint_;
  call.target = paths_.of(*exchange.operation);
  return call;
}

World::World(std::vector<Stage*> stages, RetrySettings retries)
    : keys_(register_settings(sections_)) {
  principal.key_id = "test";
  principal.models = {"*"};
  entry_ = std::make_unique<Entry>(principal);
  stages.insert(stages.begin(), entry_.get());
  for (Stage* stage : stages) {
    const Hook hook{stage, static_cast<std::uint8_t>(pipeline_.stages.size()),
                    (stage->hooks() & kWaits) != 0};
    pipeline_.stages.push_back(stage);
    if (stage->hooks() & kOnHead) pipeline_.head.push_back(hook);
    if (stage->before_policy()) pipeline_.request_before_policy.push_back(hook);
    if (stage->hooks() & kOnAttemptEnd) pipeline_.attempt_end.push_back(hook);
    if (stage->hooks() & kOnUsage) pipeline_.usage.push_back(hook);
    if (stage->hooks() & kOnSettle) pipeline_.settle.push_back(hook);
    if (stage->hooks() & kOnDone) pipeline_.done.insert(pipeline_.done.begin(), hook);
    if (!(stage->hooks() & ~unsigned{kOnDone})) pipeline_.always |= std::uint64_t{1} << hook.index;
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->pipeline = &pipeline_;
  snapshot->defaults = sections_.defaults();
  snapshot->defaults.set(keys_.retries.index(), std::make_shared<RetrySettings>(retries));
  dialect_.operations(snapshot->operations);
  anthropic_.operations(snapshot->operations);
  Model model;
  model.name = "m";
  for (const char* name : {"a", "b"}) {
    const Zone zone = *name == 'a' ? Zone::Internal : Zone::External;
    auto provider = std::make_unique<FakeProvider>(name, dialect_, zone);
    model.targets.push_back(make_target(std::string(name) + "/up", provider.get(), "up"));
    model.targets.back().place = static_cast<std::uint16_t>(*name - 'a');
    snapshot->providers.emplace(name, single_member(std::move(provider)));
  }
  snapshot->models.emplace("m", std::move(model));
  snapshots_ = std::make_unique<Pinned<Snapshot>>(std::move(snapshot));
  context_.client = &client;
  context_.clock = &clock;
  runner_ = std::make_unique<Runner>(context_, *snapshots_, keys_);
  asker_ = std::make_unique<RunnerAsker>(context_, *snapshots_, *runner_);
}

Task<Result<Answer>> World::ask(Question question) {
  if (!question.principal) question.principal = &principal;
  return asker_->ask(std::move(question));
}

void World::serve(FakeStream& stream) { spawn(runner_->serve(stream)); }

std::unique_ptr<FakeStream> World::post(std::string path, std::string request) {
  auto stream =
      std::make_unique<FakeStream>(http::Method::Post, std::move(path), std::move(request));
  serve(*stream);
  return stream;
}

std::unique_ptr<FakeStream> World::chat(std::string request) {
  return post("/v1/chat/completions", std::move(request));
}

std::unique_ptr<FakeStream> World::messages(std::string request) {
  return post("/v1/messages", std::move(request));
}

std::string chunk(std::string_view content) {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":)" +
         encode_json_string(content) + R"(},"logprobs":null,"finish_reason":null}]})" + "\n\n";
}

std::string chunk_end(std::string_view reason) {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{},"finish_reason":")" +
         std::string(reason) + "\"}]}\n\ndata: [DONE]\n\n";
}

std::string completion(std::string_view content) {
  return R"({"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":)" +
         encode_json_string(content) +
         R"(},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";
}

std::string contents_of(std::string_view stream) {
  constexpr std::string_view kName = "\"content\":";
  std::string all, storage;
  for (std::size_t at = stream.find(kName); at != stream.npos; at = stream.find(kName, at + 1)) {
    const std::size_t begin = at + kName.size();
    std::size_t end = begin + 1;
    while (stream[end] != '"') end += stream[end] == '\\' ? 2 : 1;
    all += decode_json_string(stream.substr(begin, end + 1 - begin), storage);
  }
  return all;
}

}  // namespace causeway::exchange::testing

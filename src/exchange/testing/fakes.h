// A runner without sockets: a request given as text, an upstream that answers from a script, and
// what came out of it. For unit tests of stages and of the runner.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/provider.h"
#include "core/snapshot.h"
#include "dialects/anthropic/dialect.h"
#include "dialects/openai/dialect.h"
#include "exchange/ask.h"
#include "exchange/runner.h"
#include "platform/http/client.h"
#include "platform/http/server_stream.h"

namespace causeway::exchange::testing {

/// One request and the answer to it, in memory.
class FakeStream final : public http::ServerStream {
 public:
  FakeStream(http::Method method, std::string target, std::string body,
             std::vector<std::pair<std::string, std::string>> fields = {});

  const http::RequestHead& head() const override { return head_; }
  std::string_view peer() const override { return "127.0.0.1"; }
  Task<Result<std::string_view>> read_body(std::size_t limit) override;
  Task<Result<std::string_view>> read_some() override;
  bool hold(std::size_t bytes) override;
  Task<Result<void>> reply(int status, std::span<const http::Field> fields,
                           std::span<const std::string_view> body) override;
  void begin(int status, std::span<const http::Field> fields) override;
  Task<Result<void>> write(std::span<const std::string_view> pieces) override;
  Task<Result<void>> finish() override;
  void abort() override { aborted = true; }
  bool begun() const override { return status != 0; }
  bool gone() const override { return gone_; }
  void on_gone(std::move_only_function<void()> action) override { on_gone_ = std::move(action); }

  /// The caller goes away.
  void leave();

  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;                 // all that was sent
  std::vector<std::string> writes;  // piece by piece
  bool finished = false, aborted = false;
  std::size_t budget = SIZE_MAX, held = 0;  // what may be held, what is

 private:
  void take_head(int code, std::span<const http::Field> given);
  std::string target_, method_, request_body_;
  std::vector<std::pair<std::string, std::string>> storage_;
  std::vector<http::Field> views_;
  http::RequestHead head_;
  bool gone_ = false;
  std::move_only_function<void()> on_gone_;
};

/// What one call of the upstream is answered with.
struct Script {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields{{"content-type", "application/json"}};
  std::vector<std::string> pieces{};                      // of the body
  bool cut = false;                                       // ends with an error behind the pieces
  bool refused = false;                                   // no connection at all
  std::function<void(std::size_t piece)> before_piece{};  // e.g. the caller leaves
};

class FakeClient final : public http::Client {
 public:
  std::deque<Script> scripts;
  std::vector<std::string> sent;     // bodies of the calls, in order
  std::vector<std::string> targets;  // paths of the calls

  Task<Result<std::unique_ptr<http::ClientStream>>> call(const http::Endpoint& endpoint,
                                                         const http::ClientRequest& request,
                                                         Cancel& cancel) override;
  Stats stats() const override { return {}; }
  void close_idle() override {}
};

/// A provider that speaks the openai dialect to nowhere.
class FakeProvider final : public Provider {
 public:
  FakeProvider(std::string name, const Dialect& dialect, Zone zone = Zone::External)
      : name_(std::move(name)), dialect_(dialect), zone_(zone) {}
  std::string_view name() const override { return name_; }
  std::string_view kind() const override { return "openai"; }
  Zone zone() const override { return zone_; }
  const Dialect& dialect(const Operation&, const Target&) const override { return dialect_; }
  Result<Call> address(const Exchange& exchange, Attempt& attempt) const override;

 private:
  std::string name_;
  const Dialect& dialect_;
  Zone zone_;
  http::Endpoint endpoint_;
  OperationPaths paths_{"/v1", dialect_};
};

/// Everything that an exchange needs, with two targets "a/up" and "b/up" behind the model "m".
class World {
 public:
  /// The stages besides the runner's own, in order; they outlive the world.
  explicit World(std::vector<Stage*> stages = {}, RetrySettings retries = {});

  /// Runs one request to its end.
  void serve(FakeStream& stream);
  std::unique_ptr<FakeStream> chat(std::string body);
  /// The same in Anthropic's dialect, while the targets speak OpenAI's.
  std::unique_ptr<FakeStream> messages(std::string body);
  /// What a job asks as `principal`.
  Task<Result<Answer>> ask(Question question);

  std::size_t running() const { return runner_->running(); }
  void close_asker() { asker_->close(); }
  LoopContext& context() { return context_; }

  FakeClient client;
  ManualClock clock;
  Principal principal;

 private:
  std::unique_ptr<FakeStream> post(std::string path, std::string request);

  openai::OpenAiDialect dialect_;
  anthropic::AnthropicDialect anthropic_;
  config::Registry registry_;
  SectionTable sections_{registry_};
  SettingKeys keys_;
  Pipeline pipeline_;
  std::unique_ptr<Stage> entry_;
  std::unique_ptr<Pinned<Snapshot>> snapshots_;
  LoopContext context_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<RunnerAsker> asker_;
};

/// "data: {…chunk…}\n\n" with this piece of content.
std::string chunk(std::string_view content);
/// The chunk that ends a choice, and the terminal mark.
std::string chunk_end(std::string_view reason = "stop");
/// A whole chat completion with this content.
std::string completion(std::string_view content);
/// The contents of all chunks of a stream, joined.
std::string contents_of(std::string_view stream);

}  // namespace causeway::exchange::testing

#include "app/simple_http.h"

#include "platform/net/loop.h"

namespace causeway::app {
namespace {

constexpr std::size_t kMostBytes = 256 * 1024 * 1024;
constexpr std::chrono::milliseconds kWantedPeriod{200};

struct OneCall {
  const SimpleRequest& request;
  http::Endpoint endpoint;
  std::string path;
  Cancel cancel{};
  Result<SimpleAnswer> result = SimpleAnswer{};

  void ask_whether_wanted() {
    if (request.wanted && !request.wanted()) cancel.request();
  }
};

Task<Result<SimpleAnswer>> call_and_read(http::Client& client, OneCall& run) {
  std::vector<http::Field> fields;
  for (const auto& [name, value] : run.request.fields) fields.push_back({name, value});
  const std::string_view body[] = {run.request.body};
  http::ClientRequest request;
  request.method = run.request.method;
  request.target = run.path;
  request.fields = fields;
  request.timeouts = run.request.timeouts;
  if (!run.request.body.empty()) request.body = body;
  auto stream = co_await client.call(run.endpoint, request, run.cancel);
  if (!stream) co_return pass(std::move(stream));
  SimpleAnswer answer;
  answer.status = (*stream)->head().status;
  answer.content_type = (*stream)->head().find("content-type").value_or("");
  const bool in_pieces = run.request.on_piece && answer.status / 100 == 2;
  for (;;) {
    auto piece = co_await (*stream)->read();
    if (!piece) co_return pass(std::move(piece));
    if (piece->empty()) co_return answer;
    if (in_pieces) {
      run.request.on_piece(*piece);
      run.ask_whether_wanted();
    } else {
      answer.body += *piece;
      if (answer.body.size() > kMostBytes) {
        co_return fail(ErrorKind::TooLarge, Origin::Upstream, "the answer is too large");
      }
    }
  }
}

Task<void> run_to_end(net::Loop& loop, http::Client& client, OneCall& run) {
  run.result = co_await call_and_read(client, run);
  loop.stop();
}

}  // namespace

Result<SimpleAnswer> simple_call(const SimpleRequest& request) {
  const auto slash = request.url.find('/', request.url.find("//") + 2);
  const std::string base = request.url.substr(0, slash);
  std::string ignored;
  auto endpoint = http::parse_url(base, ignored);
  if (!endpoint) return pass(std::move(endpoint));
  endpoint->id = http::endpoint_id(*endpoint);
  OneCall run{request, std::move(*endpoint),
              slash == std::string::npos ? "/" : request.url.substr(slash)};
  net::Loop loop;
  if (request.wanted) loop.every(kWantedPeriod, [&run] { run.ask_whether_wanted(); });
  auto client = http::make_client(loop);
  spawn(run_to_end(loop, *client, run));
  loop.run();
  client->close_idle();
  return std::move(run.result);
}

}  // namespace causeway::app

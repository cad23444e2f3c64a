#include "engine/download.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/detail/part_file.h"
#include "platform/base/cancel.h"
#include "platform/base/task.h"
#include "platform/base/worker.h"
#include "platform/http/client.h"
#include "platform/net/loop.h"

namespace causeway::engine {
namespace {

using namespace std::chrono_literals;

constexpr int kRedirections = 8;
constexpr int kTries = 5;  // each goes on from where the last one was cut
constexpr auto kProgressPeriod = 250ms;
// No limit on the whole: a model may be many gigabytes; a connection that stands still is cut.
constexpr http::Timeouts kTimeouts{.connect = 20s, .first_byte = 60s, .idle = 60s, .total = 24h};

/// "bytes 100-199/1000" → begin and total; nothing where it is not of this form.
std::optional<std::pair<std::uint64_t, std::uint64_t>> content_range(std::string_view text) {
  const auto number = [&](char after) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (after != 0 && (text.empty() || text.front() != after)) return std::nullopt;
    if (after != 0) text.remove_prefix(1);
    return value;
  };
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const auto begin = number('-');
  const auto last = begin ? number('/') : std::nullopt;
  const auto total = last ? number(0) : std::nullopt;
  if (!total) return std::nullopt;
  return std::pair(*begin, *total);
}

/// Where a Location field leads from `url`: an absolute address, or a path on the same host.
std::string resolve(std::string_view url, std::string_view location) {
  if (location.find("://") != location.npos) return std::string(location);
  const auto scheme = url.find("://") + 3;
  if (location.starts_with("//"))
    return std::string(url.substr(0, scheme - 2)) + std::string(location);
  const auto host_end = std::min(url.find_first_of("/?", scheme), url.size());
  if (location.starts_with('/'))
    return std::string(url.substr(0, host_end)) + std::string(location);
  const auto folder = url.substr(0, url.find('?')).rfind('/');
  return std::string(url.substr(0, std::max(folder, host_end))) + "/" + std::string(location);
}

/// The part of an address behind the host, at least "/".
std::string target_of(std::string_view url) {
  const auto at = url.find_first_of("/?", url.find("://") + 3);
  if (at == url.npos) return "/";
  const auto target = url.substr(at, url.find('#') - at);
  return target.front() == '/' ? std::string(target) : "/" + std::string(target);
}

}  // namespace

struct Download::Job {
  DownloadOptions options;
  net::Loop loop;
  std::unique_ptr<http::Client> client = http::make_client(loop);
  Cancel cancel;
  PartFile part;
  std::uint64_t total = 0;
  Monotonic reported{};
  bool ended = false;

  explicit Job(DownloadOptions given) : options(std::move(given)) {}

  std::string part_path() const { return options.path + ".part"; }
  void report(bool now) {
    const auto time = std::chrono::steady_clock::now();
    if (!options.on_progress || (!now && time - reported < kProgressPeriod)) return;
    reported = time;
    options.on_progress(part.size(), total);
  }

  static Task<void> run(Job& job);
  Task<Result<void>> fetch();
  Task<Result<bool>> begin();
  Task<void> pause(std::chrono::milliseconds time);
  Task<Result<std::unique_ptr<http::ClientStream>>> open(std::string url);
  Task<Result<void>> one_try();
  Result<void> accept(const http::ResponseHead& head);
  Result<void> complete();
};

Task<void> Download::Job::run(Job& job) {
  auto result = co_await job.fetch();
  if (job.options.on_end) job.options.on_end(std::move(result));
  job.ended = true;
  job.loop.stop();
}

Task<Result<void>> Download::Job::fetch() {
  auto wanted = co_await begin();
  if (!wanted) co_return pass(std::move(wanted));
  if (!*wanted) co_return Result<void>();
  Result<void> result;
  for (int i = 0; i < kTries; ++i) {
    const auto before = part.size();
    result = co_await one_try();
    if (result || !result.error().retryable || cancel.requested()) break;
    if (part.size() > before) i = 0;  // it moves: only tries in vain are counted
    co_await pause(500ms * (i + 1));
  }
  if (!result) co_return result;
  co_return complete();
}

/// False when the file came meanwhile through another process.
Task<Result<bool>> Download::Job::begin() {
  for (;;) {
    auto ours = part.open(part_path());
    if (!ours) co_return pass(std::move(ours));
    if (access(options.path.c_str(), R_OK) == 0) {
      if (*ours) unlink(part_path().c_str());
      co_return false;
    }
    if (*ours) break;
    if (cancel.requested()) co_return fail(ErrorKind::Cancelled, Origin::Us, "cancelled");
    co_await pause(500ms);
  }
  if (auto read = part.read_what_is_there(); !read) co_return pass(std::move(read));
  co_return true;
}

Task<void> Download::Job::pause(std::chrono::milliseconds time) {
  for (; time > 0ms && !cancel.requested(); time -= 100ms) co_await loop.sleep(100ms);
}

/// Follows redirections to the answer itself.
Task<Result<std::unique_ptr<http::ClientStream>>> Download::Job::open(std::string url) {
  for (int i = 0; i < kRedirections; ++i) {
    std::string path;  // stays empty: only scheme and host are asked of parse_url
    const auto host_end = std::min(url.find_first_of("/?#", url.find("://") + 3), url.size());
    auto endpoint = http::parse_url(std::string_view(url).substr(0, host_end), path);
    if (!endpoint) co_return pass(std::move(endpoint));
    endpoint->ca_file = options.ca_file;
    endpoint->max_idle = 0;  // one request per connection: nothing that could have gone stale
    endpoint->id = http::endpoint_id(*endpoint);
    const std::string target = target_of(url);
    const std::string range = "bytes=" + std::to_string(part.size()) + "-";
    std::vector<http::Field> fields{{"Accept-Encoding", "identity"}, {"User-Agent", "causeway"}};
    if (part.size() > 0) fields.push_back({"Range", range});
    const http::ClientRequest request{
        .method = "GET", .target = target, .fields = fields, .body = {}, .timeouts = kTimeouts};
    auto answer = co_await client->call(*endpoint, request, cancel);
    if (!answer) {
      answer.error().retryable = true;
      co_return pass(std::move(answer));
    }
    const auto& head = (*answer)->head();
    const auto location = head.find("location");
    if (head.status < 301 || head.status > 308 || !location) co_return std::move(*answer);
    std::string next = resolve(url, *location);
    if (url.starts_with("https:") && !next.starts_with("https:")) {
      co_return fetch_failed("the server leads from https to an address without TLS; refused");
    }
    url = std::move(next);
  }
  co_return fetch_failed("too many redirections");
}

Result<void> Download::Job::accept(const http::ResponseHead& head) {
  const auto length = head.find("content-length");
  std::uint64_t bytes = 0;
  if (length) std::from_chars(length->data(), length->data() + length->size(), bytes);
  if (head.status == 200) {
    if (part.size() > 0 && !part.empty_again()) return fetch_failed("cannot empty the part");
    total = bytes;
    return {};
  }
  const auto range = head.find("content-range");
  const auto parsed = range ? content_range(*range) : std::nullopt;
  if (head.status == 206 && parsed && parsed->first == part.size()) {
    total = parsed->second;
    return {};
  }
  if (head.status == 416 && part.size() > 0) {  // nothing behind what we have, or another file
    total = part.size();
    return {};
  }
  auto error = fetch_failed("the server answered " + std::to_string(head.status));
  error.error().upstream_status = head.status;
  error.error().retryable = head.status >= 500 || head.status == 429;
  return error;
}

Task<Result<void>> Download::Job::one_try() {
  auto answer = co_await open(options.url);
  if (!answer) co_return pass(std::move(answer));
  auto& stream = **answer;
  if (auto accepted = accept(stream.head()); !accepted) co_return accepted;
  if (stream.head().status == 416) co_return Result<void>();
  for (;;) {
    auto piece = co_await stream.read();
    if (!piece) {
      piece.error().retryable = piece.error().kind != ErrorKind::Cancelled;
      co_return pass(std::move(piece));
    }
    if (piece->empty()) break;
    if (!part.append(*piece)) {
      co_return fetch_failed("cannot write " + part_path() + ": " + std::strerror(errno));
    }
    report(false);
  }
  report(true);
  co_return Result<void>();
}

Result<void> Download::Job::complete() {
  const std::string digest = part.sha256();
  if (digest != options.sha256) {
    unlink(part_path().c_str());
    return fetch_failed("the file that came has another SHA-256 (" + digest +
                        ") than it should have; it was removed");
  }
  if (!part.sync() || std::rename(part_path().c_str(), options.path.c_str()) != 0) {
    return fetch_failed("cannot complete " + options.path + ": " + std::strerror(errno));
  }
  return {};
}

Download::Download(DownloadOptions options) : job_(std::make_unique<Job>(std::move(options))) {
  thread_ = start_thread("download", [job = job_.get()] {
    spawn(Job::run(*job));
    if (!job->ended) job->loop.run();
  });
}

Download::~Download() {
  job_->loop.post([job = job_.get()] { job->cancel.request(); });
  thread_.join();
}

}  // namespace causeway::engine

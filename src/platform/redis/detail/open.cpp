#include "platform/redis/detail/open.h"

#include <hiredis/hiredis.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "platform/net/connect.h"
#include "platform/net/dns.h"
#include "platform/net/loop.h"
#include "platform/net/tls.h"

namespace causeway::redis::detail {

std::unexpected<Error> lost(std::string why, std::string more, Origin origin) {
  auto failed = fail(ErrorKind::Unavailable, origin, "the shared state " + std::move(why),
                     "shared_state_lost");
  failed.error().retryable = true;
  failed.error().detail = std::move(more);
  return failed;
}

std::string format(std::span<const std::string_view> args) {
  std::vector<const char*> words;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : args) {
    words.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* made = nullptr;
  const int size =
      redisFormatCommandArgv(&made, static_cast<int>(words.size()), words.data(), sizes.data());
  std::string bytes(made ? made : "", size > 0 ? static_cast<std::size_t>(size) : 0);
  redisFreeCommand(made);
  return bytes;
}

namespace {

using Steady = std::chrono::steady_clock;

Task<Result<Reply>> ask(net::Stream& stream, ReplyReader& reader, std::string bytes) {
  const std::string_view piece = bytes;
  if (const auto done = co_await net::write(stream, {&piece, 1}); !done) {
    co_return lost("is gone", done.error.message());
  }
  std::array<char, 4096> buffer;
  Reply reply;
  while (true) {
    auto whole = reader.next(reply);
    if (!whole) co_return pass(std::move(whole));
    if (*whole) break;
    const auto got = co_await net::read(stream, buffer);
    if (!got) co_return lost("is gone", got.error.message());
    if (got.bytes == 0) co_return lost("is gone", "the server closed the connection");
    reader.feed({buffer.data(), got.bytes});
  }
  if (reply.is_error()) co_return lost("does not serve", std::move(reply.text));
  co_return std::move(reply);
}

// The trial is a write: a read-only replica, and one without memory, answer a PING.
Task<Result<void>> greet(net::Stream& stream, const Settings& settings, ReplyReader& reader) {
  std::vector<std::string> first;
  if (!settings.password.empty()) {
    std::vector<std::string_view> words{"AUTH"};
    if (!settings.user.empty()) words.push_back(settings.user);
    words.push_back(settings.password.reveal());
    first.push_back(format(words));
  }
  const std::string number = std::to_string(settings.database);
  const std::array<std::string_view, 2> select{"SELECT", number};
  if (settings.database != 0) first.push_back(format(select));
  constexpr std::array<std::string_view, 5> kTrial{"SET", "causeway:trial", "1", "PX", "1000"};
  const std::string trial = format(kTrial);
  for (std::string& bytes : first) {
    auto reply = co_await ask(stream, reader, std::move(bytes));
    if (!reply) co_return pass(std::move(reply));
  }
  const auto begin = Steady::now();
  auto reply = co_await ask(stream, reader, trial);
  if (!reply) co_return pass(std::move(reply));
  if (Steady::now() - begin > settings.timeout) co_return lost("is slow", "the trial was too slow");
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::unique_ptr<net::Stream>>> open(net::Loop& loop, net::Resolver& resolver,
                                                net::TlsClient& tls, const Settings& settings,
                                                Cancel& stop, ReplyReader& reader) {
  Result<std::unique_ptr<net::Stream>> made{nullptr};
  if (settings.unix_path.empty()) {
    made = co_await net::connect_tcp(loop, resolver, settings.host, settings.port, stop);
  } else {
    made = co_await net::connect_unix(loop, settings.unix_path, stop);
  }
  if (!made) co_return pass(std::move(made));
  if (settings.tls) {
    net::TlsClient::Peer peer{settings.host, settings.ca_file, settings.place()};
    auto safe = co_await tls.handshake(std::move(*made), std::move(peer), stop);
    if (!safe) co_return pass(std::move(safe));
    made = std::move(safe);
  }
  if (stop.requested()) co_return lost("does not answer", "it took too long to connect");
  stop.on_request([below = made->get()] { below->cancel(); });
  auto greeted = co_await greet(**made, settings, reader);
  stop.on_request(nullptr);
  if (stop.requested()) co_return lost("does not answer", "it took too long to connect");
  if (!greeted) co_return pass(std::move(greeted));
  co_return std::move(made);
}

}  // namespace causeway::redis::detail

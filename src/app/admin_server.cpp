#include "app/admin_server.h"

#include <algorithm>
#include <optional>

#include "app/repeated_members.h"
#include "core/error.h"
#include "platform/text/ascii.h"
#include "platform/text/percent.h"

namespace causeway::app {
namespace {

constexpr std::size_t kMostBody = 4 * 1024 * 1024;
constexpr std::size_t kMostBodyOfUnknown = 4 * 1024;  // a sign-in

using Words = std::map<std::string, std::string, std::less<>>;

// As forms write it, and so many clients: there, and only there, a plus is a space.
std::string form_decoded(std::string_view word) {
  std::string spaced(word);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return text::percent_decoded(spaced);
}

Words parse_query(std::string_view query) {
  Words words;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) continue;
    words[form_decoded(pair.substr(0, equals))] =
        equals < pair.size() ? form_decoded(pair.substr(equals + 1)) : "";
  }
  return words;
}

// "/api/keys/{id}/rotate" against "/api/keys/abc/rotate".
bool matches(std::string_view pattern, std::string_view path, Words& params) {
  params.clear();
  while (!pattern.empty() && !path.empty()) {
    const auto pattern_end = std::min(pattern.find('/', 1), pattern.size());
    const auto path_end = std::min(path.find('/', 1), path.size());
    const auto expected = pattern.substr(1, pattern_end - 1);
    const auto given = path.substr(1, path_end - 1);
    if (expected.starts_with('{') && expected.ends_with('}') && !given.empty()) {
      params[std::string(expected.substr(1, expected.size() - 2))] = text::percent_decoded(given);
    } else if (expected != given) {
      return false;
    }
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
  return pattern.empty() && path.empty();
}

AdminReply error_reply(ErrorKind kind, std::string message, std::string code = {}) {
  Error error;
  error.kind = kind;
  error.origin = Origin::Client;
  error.message = std::move(message);
  error.code = std::move(code);
  return admin_error(error);
}

class StreamSink final : public AdminSink {
 public:
  explicit StreamSink(http::ServerStream& stream) : stream_(stream) {
    stream_.on_gone([this] { gone_.request(); });
  }
  ~StreamSink() override { stream_.on_gone(nullptr); }
  Task<Result<void>> write(std::string piece) override {
    const std::string_view pieces[] = {piece};
    auto writing = stream_.write(pieces);
    co_return co_await std::move(writing);
  }
  Cancel& gone() override { return gone_; }

 private:
  http::ServerStream& stream_;
  Cancel gone_;
};

std::vector<http::Field> fields_of(const AdminReply& reply) {
  std::vector<http::Field> fields = {{"content-type", reply.content_type},
                                     {"x-content-type-options", "nosniff"}};
  for (const auto& [name, value] : reply.fields) fields.push_back({name, value});
  const auto unless_said = [&](std::string_view name, std::string_view value) {
    if (!http::find(fields, name)) fields.push_back({name, value});
  };
  unless_said("cache-control", "no-store");
  // A reply that somebody opens as a page is to do nothing.
  unless_said("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  return fields;
}

Task<void> send(http::ServerStream& stream, AdminReply reply) {
  const auto fields = fields_of(reply);
  if (!reply.stream) {
    const std::string_view pieces[] = {reply.body};
    auto whole = stream.reply(reply.status, fields, pieces);
    (void)co_await std::move(whole);
    co_return;
  }
  stream.begin(reply.status, fields);
  StreamSink sink(stream);
  auto writing = reply.stream(sink);
  co_await std::move(writing);
  auto end = stream.finish();
  (void)co_await std::move(end);
}

}  // namespace

AdminServer::AdminServer(net::Loop& loop, std::vector<AdminRoute> routes, Authenticate authenticate)
    : loop_(loop), routes_(std::move(routes)), authenticate_(std::move(authenticate)) {}

AdminServer::~AdminServer() = default;

Result<void> AdminServer::start(const ListenAddress& address) {
  http::ServerLimits limits;
  limits.connections = 1000;
  limits.body_bytes = kMostBody;
  server_ = http::make_server(
      loop_, limits, [this](http::ServerStream& stream) { return serve(stream); },
      [](int, std::string_view message) {
        return http::RefusalAnswer{
            error_reply(ErrorKind::InvalidRequest, std::string(message), "bad_http").body, {}};
      });
  return server_->listen(address.ip, address.port);
}

std::uint16_t AdminServer::port() const { return server_ ? server_->port() : 0; }

void AdminServer::close() {
  if (server_) server_->close();
}

bool AdminServer::idle() const { return !server_ || server_->stats().connections == 0; }

const AdminRoute* AdminServer::find(AdminRequest& request, bool& other_method) const {
  for (const AdminRoute& route : routes_) {
    if (!matches(route.path, request.path, request.params)) continue;
    if (route.method == request.method) return &route;
    other_method = true;
  }
  return nullptr;
}

Task<AdminReply> AdminServer::handle(http::Method method, std::string target, std::string body,
                                     AdminCaller caller) const {
  const auto question = std::min(target.find('?'), target.size());
  AdminRequest request;
  request.method = method == http::Method::Head ? http::Method::Get : method;
  request.path = target.substr(0, question);
  bool other_method = false;
  const AdminRoute* found = find(request, other_method);
  const bool open = found && found->open;
  if (!open && caller.right == AdminRight::None) {
    co_return error_reply(ErrorKind::Unauthenticated,
                          "An admin key is needed here: Authorization: Bearer KEY.");
  }
  if (!open && caller.refused) co_return admin_error(*caller.refused);
  if (!found && other_method) {
    co_return error_reply(ErrorKind::MethodNotAllowed, "This path does not take this method.");
  }
  if (!found) {
    co_return error_reply(ErrorKind::NotFound,
                          "There is nothing at " + request.path.substr(0, 200));
  }
  if (found->changes && caller.right != AdminRight::Full) {
    co_return error_reply(ErrorKind::Forbidden, "This key may only read.", "read_only_key");
  }
  request.query =
      parse_query(std::string_view(target).substr(std::min(question + 1, target.size())));
  request.body = std::move(body);
  request.actor = std::move(caller.actor);
  request.full = caller.right == AdminRight::Full;
  request.session = std::move(caller.session);
  request.peer = std::move(caller.peer);
  request.head = caller.head;
  co_return co_await found->handle(std::move(request));
}

Task<void> AdminServer::serve(http::ServerStream& stream) {
  const auto& head = stream.head();
  std::string body;
  AdminReply reply;
  AdminCaller caller = authenticate_(head);
  caller.peer = stream.peer();
  caller.head = &head;
  bool ready = true;
  if (head.has_body()) {
    const bool known = caller.right != AdminRight::None && !caller.refused;
    auto reading = stream.read_body(known ? kMostBody : kMostBodyOfUnknown);
    auto read = co_await std::move(reading);
    if (!read) {
      // Who has no key hears that, and not how large a body may be.
      if (known) reply = admin_error(read.error());
      ready = !known;
    } else if (const auto name = repeated_member(*read)) {
      reply = error_reply(ErrorKind::InvalidRequest,
                          "The member \"" + name->substr(0, 100) + "\" stands there twice.",
                          "repeated_member");
      ready = false;
    } else {
      body = *read;
      // A body may take its time: a key that was revoked meanwhile opens nothing.
      caller = authenticate_(head);
      caller.peer = stream.peer();
      caller.head = &head;
    }
  }
  if (ready) {
    auto handling =
        handle(head.method, std::string(head.target), std::move(body), std::move(caller));
    reply = co_await std::move(handling);
  }
  auto sending = send(stream, std::move(reply));
  co_await std::move(sending);
}

}  // namespace causeway::app

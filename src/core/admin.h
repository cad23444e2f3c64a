// What a feature offers to operators: routes below /api on the admin port, and verbs of the command
// line. A verb does its work through the same routes, over the running program's admin port or,
// when no program runs on the data folder, in its own process.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/cancel.h"
#include "platform/base/error.h"
#include "platform/base/task.h"
#include "platform/http/message.h"

namespace causeway {

struct AdminRequest {
  http::Method method = http::Method::Get;
  std::string path;                                        // without query
  std::map<std::string, std::string, std::less<>> params;  // from "{name}" in the route's path
  std::map<std::string, std::string, std::less<>> query;   // percent-decoded
  std::string body;                                        // JSON, as sent
  std::string actor;                                       // key id of the admin, for the audit
  bool full = false;      // a key that may change things; others do not see what people said
  std::string session{};  // of the browser that is signed in; "" = a key
  std::string peer{};     // the caller's address; "" within the process
  const http::RequestHead* head = nullptr;  // until the reply; null within the process
};

/// Where a reply goes that is written piece by piece.
class AdminSink {
 public:
  virtual ~AdminSink() = default;
  /// Waits while the client is slow. Errors: Cancelled when it left, Timeout when it does not read.
  virtual Task<Result<void>> write(std::string piece) = 0;
  /// Requested when the client leaves.
  virtual Cancel& gone() = 0;
};

struct AdminReply {
  int status = 200;
  std::string body;  // JSON unless content_type says otherwise
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields{};  // beside the usual ones
  /// Writes the body in the place of `body`, while it comes to be. Only over a socket.
  std::function<Task<void>(AdminSink&)> stream{};
};

/// The reply to an error, in the admin port's form {"error":{code,message}}.
AdminReply admin_error(const Error& error);

struct AdminRoute {
  http::Method method = http::Method::Get;
  std::string path;      // "/api/keys/{id}/rotate"
  std::string summary;   // one line, for the OpenAPI file and the reference
  bool changes = false;  // needs a full admin key; otherwise a read-only one is enough
  std::function<Task<AdminReply>(AdminRequest)> handle;
  bool open = false;  // needs no key: probes, the sign-in, the console's files
};

/// How a verb reaches the routes.
class AdminClient {
 public:
  virtual ~AdminClient() = default;
  /// Errors: Unavailable when nothing can be reached; the status of the reply is the caller's to
  /// see.
  virtual Result<AdminReply> call(http::Method method, const std::string& path_and_query,
                                  const std::string& body) = 0;
};

struct Verb {
  std::string name;     // "keys"
  std::string summary;  // for `causeway --help`
  /// `args` without the program's and the verb's name. Returns the exit code: 0 done, 1 refused or
  /// failed, 2 wrong use.
  std::function<int(std::span<const std::string> args, AdminClient& admin)> run;
};

}  // namespace causeway

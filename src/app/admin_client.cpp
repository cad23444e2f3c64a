#include "app/admin_client.h"

#include <boost/json.hpp>
#include <filesystem>

#include "app/offline.h"
#include "app/simple_http.h"
#include "platform/store/folder.h"

namespace causeway::app {
namespace {

// What tells whether somebody is there takes this long at most.
constexpr std::chrono::seconds kProbeLimit{5};

SimpleRequest admin_request(const Running& running, http::Method method,
                            const std::string& path_and_query) {
  SimpleRequest request;
  request.method = http::to_string(method);
  request.url = "http://" + running.admin + path_and_query;
  request.fields = {{"authorization", "Bearer " + running.admin_key}};
  return request;
}

class OverHttp final : public AdminClient {
 public:
  explicit OverHttp(Running running) : running_(std::move(running)) {}
  Result<AdminReply> call(http::Method method, const std::string& path_and_query,
                          const std::string& body) override {
    SimpleRequest request = admin_request(running_, method, path_and_query);
    request.fields.emplace_back("content-type", "application/json");
    request.body = body;
    auto answer = simple_call(request);
    if (!answer) return pass(std::move(answer));
    return AdminReply{answer->status, std::move(answer->body), std::move(answer->content_type)};
  }

 private:
  Running running_;
};

/// Decides at the first call: `--help` should neither look for anybody nor open a folder.
class Either final : public AdminClient {
 public:
  explicit Either(Where where) : where_(std::move(where)) {}
  Result<AdminReply> call(http::Method method, const std::string& path_and_query,
                          const std::string& body) override {
    if (!client_) {
      auto running = find_running(where_);
      if (running) {
        client_ = std::make_unique<OverHttp>(std::move(*running));
      } else if (running.error().code != "not_running") {
        return pass(std::move(running));
      } else {
        client_ = make_offline_client(where_, running.error());
      }
    }
    return client_->call(method, path_and_query, body);
  }

 private:
  Where where_;
  std::unique_ptr<AdminClient> client_;
};

}  // namespace

Result<Running> find_running(const Where& where) {
  const auto data = data_folder(where);
  if (!data) return std::unexpected(data.error());
  const auto nobody = [&] {
    return fail(ErrorKind::Unavailable, Origin::Us,
                "no gateway runs on the data folder " + shown_path(*data) +
                    "; start one with `causeway serve`, or name its folder with --data",
                "not_running");
  };
  auto text = store::read_private(std::filesystem::path(*data) / "running.json");
  if (!text && text.error().kind != ErrorKind::NotFound) return pass(std::move(text));
  if (!text) return nobody();
  boost::system::error_code failed;
  const auto value = boost::json::parse(*text, failed);
  if (failed || !value.is_object()) return nobody();
  Running running;
  const auto string_of = [&](const char* name) {
    const auto* member = value.as_object().if_contains(name);
    return member && member->is_string() ? std::string(member->as_string()) : std::string();
  };
  running.listen = string_of("listen");
  running.admin = string_of("admin");
  running.admin_key = string_of("admin_key");
  running.application_key = string_of("application_key");
  // A file that a killed process left behind names nobody, or who has its port now: only the one
  // that wrote it knows the key in it, which is made anew at each start.
  SimpleRequest probe = admin_request(running, http::Method::Get, "/api/status");
  probe.timeouts.connect = probe.timeouts.total = kProbeLimit;
  const auto answer = simple_call(probe);
  if (!answer || answer->status != 200) return nobody();
  return running;
}

std::unique_ptr<AdminClient> make_admin_client(Where where) {
  return std::make_unique<Either>(std::move(where));
}

}  // namespace causeway::app

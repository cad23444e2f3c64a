#include "features/access/keys/feature.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "features/access/keys/json.h"
#include "platform/store/test_folder.h"

namespace causeway::keys {
namespace {

// The admin port's loop in miniature: callbacks from the workers run on the test's thread.
struct Inbox {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> posted;
  void post(std::move_only_function<void()> action) {
    std::lock_guard lock(mutex);
    posted.push_back(std::move(action));
    wake.notify_one();
  }
  void run_one() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [this] { return !posted.empty(); });
    auto action = std::move(posted.front());
    posted.pop_front();
    lock.unlock();
    action();
  }
};

Task<void> keep(Task<AdminReply> task, std::optional<AdminReply>& out) {
  out = co_await std::move(task);
}

class Admin final : public AdminClient {
 public:
  Admin()
      : folder_(test_.folder()),
        store_(store::Store::open(folder_).value()),
        ring_(KeyRing::open(*store_, folder_, clock_).value()),
        workers_("worker", 1, 16),
        feature_(
            *ring_, slots_, workers_, [this](auto f) { inbox_.post(std::move(f)); }, clock_),
        routes_(feature_.routes()) {
    clock_.set_wall(Wall(std::chrono::seconds(1'800'000'000)));
  }
  Result<AdminReply> call(http::Method method, const std::string& path,
                          const std::string& body) override {
    for (const AdminRoute& route : routes_) {
      AdminRequest request{method, path, {}, {}, body, "admin"};
      const auto open = route.path.find("{id}");
      if (route.method != method) continue;
      if (open == std::string::npos) {
        if (route.path != path) continue;
      } else {
        const std::string tail = route.path.substr(open + 4);
        if (!path.starts_with(route.path.substr(0, open)) || !path.ends_with(tail)) continue;
        const auto id = path.substr(open, path.size() - open - tail.size());
        if (id.contains('/')) continue;
        request.params["id"] = id;
      }
      std::optional<AdminReply> reply;
      spawn(keep(route.handle(std::move(request)), reply));
      while (!reply) inbox_.run_one();
      return std::move(*reply);
    }
    ADD_FAILURE() << "no route " << path;
    return AdminReply{404, "{}", ""};
  }
  boost::json::value json(http::Method method, const std::string& path, const std::string& body,
                          int status) {
    const auto reply = call(method, path, body).value();
    EXPECT_EQ(reply.status, status) << reply.body;
    return boost::json::parse(reply.body);
  }
  int verb(std::vector<std::string> args) { return keys_verb().run(args, *this); }
  KeyState state(const boost::json::value& made) {
    return ring_->make_loop_keys()->find(made.at("key").as_string(), clock_.wall()).state;
  }

  ManualClock clock_;

 private:
  store::TestFolder test_;
  store::DataFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<KeyRing> ring_;
  Inbox inbox_;
  SlotLayout slots_;
  WorkerGroup workers_;
  KeysFeature feature_;
  std::vector<AdminRoute> routes_;
};

using http::Method;

TEST(KeysRoutes, LifeOfAKey) {
  Admin admin;
  const auto made = admin.json(Method::Post, "/api/keys",
                               R"({"name":"shop","tenant":"acme","roles":["a"],"expires_in":"1h",
                                   "attributes":{"team":"red"},"models":["echo"]})",
                               201);
  EXPECT_EQ(admin.state(made), KeyState::Valid);
  const std::string id(made.at("id").as_string());
  EXPECT_EQ(made.at("expires").as_string(), "2027-01-15T09:00:00Z");
  EXPECT_EQ(made.at("attributes").at("team").as_string(), "red");
  const auto list = admin.json(Method::Get, "/api/keys", "", 200);
  ASSERT_EQ(list.at("keys").as_array().size(), 1u);
  EXPECT_FALSE(list.at("keys").at(0).as_object().contains("key"));
  EXPECT_EQ(list.at("keys").at(0).at("state").as_string(), "live");
  const auto fresh = admin.json(Method::Post, "/api/keys/" + id + "/rotate", "", 200);
  EXPECT_EQ(admin.state(fresh), KeyState::Valid);
  EXPECT_EQ(admin.state(made), KeyState::Valid);
  EXPECT_EQ(fresh.at("secrets").as_array().size(), 2u);
  admin.json(Method::Patch, "/api/keys/shop", R"({"expires":null})", 200);
  admin.clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(admin.state(made), KeyState::Replaced);
  EXPECT_EQ(admin.state(fresh), KeyState::Valid);
  const auto gone = admin.json(Method::Delete, "/api/keys/" + id, "", 200);
  EXPECT_EQ(gone.at("state").as_string(), "revoked");
  EXPECT_EQ(admin.state(fresh), KeyState::Revoked);
  admin.json(Method::Delete, "/api/keys/" + id, "", 409);
  admin.json(Method::Get, "/api/keys/nobody", "", 404);
}

TEST(KeysRoutes, WrongBodiesNameTheField) {
  Admin admin;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"name":""})", "name"},
      {R"({"name":"x","models":"echo"})", "models"},
      {R"({"name":"x","nmae":"x"})", "nmae"},
      {R"({"name":"x","expires_in":"soon"})", "expires_in"},
      {R"({"name":"x","expires_in":"0s"})", "expires_in"},
      {R"({"name":"x","expires":"2020-01-01"})", "expires"},
      {R"({"name":"x","expires":"2099-01-01","expires_in":"1h"})", "expires"},
      {R"({"name":"x","roles":[1]})", "roles"},
      {R"({"name":"x","attributes":{"a":1}})", "attributes"},
      {R"({"name":"x","kind":"king"})", "kind"},
      {R"([1])", "the body"},
      {R"({"name":)", "the body"},
  };
  for (const auto& [body, field] : cases) {
    const auto error = admin.json(Method::Post, "/api/keys", body, 400);
    EXPECT_EQ(error.at("error").at("param").as_string(), field) << body;
  }
  EXPECT_TRUE(admin.json(Method::Get, "/api/keys", "", 200).at("keys").as_array().empty());
}

TEST(KeysVerb, WordsBecomeCallsAndExitCodes) {
  Admin admin;
  testing::internal::CaptureStdout();
  EXPECT_EQ(admin.verb({"create", "--name", "by-verb", "--models", "echo,emb*", "--attribute",
                        "team=red", "--json"}),
            0);
  const auto made = boost::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(admin.state(made), KeyState::Valid);
  EXPECT_EQ(made.at("models").as_array().size(), 2u);
  testing::internal::CaptureStdout();
  EXPECT_EQ(admin.verb({"list"}), 0);
  EXPECT_EQ(admin.verb({"rotate", "by-verb", "--grace", "0s"}), 0);
  EXPECT_EQ(admin.verb({"expire", "by-verb", "--in", "30d"}), 0);
  EXPECT_EQ(admin.verb({"revoke", "by-verb"}), 0);
  EXPECT_EQ(admin.verb({"--help"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("by-verb"), std::string::npos);
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_EQ(admin.verb({"revoke", "by-verb"}), 1);
  EXPECT_EQ(admin.verb({}), 2);
  EXPECT_EQ(admin.verb({"frobnicate"}), 2);
  EXPECT_EQ(admin.verb({"revoke"}), 2);
  EXPECT_EQ(admin.verb({"create"}), 2);
  testing::internal::GetCapturedStdout();
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
}

TEST(Identify, FindsTheKeyWhereClientsPutIt) {
  const auto key = [](std::vector<http::Field> fields) {
    http::RequestHead head;
    head.fields = fields;
    return std::string(presented_key(head));
  };
  EXPECT_EQ(key({{"Authorization", "Bearer abc"}}), "abc");
  EXPECT_EQ(key({{"accept", "x"}, {"authorization", "bearer  abc "}}), "abc");
  EXPECT_EQ(key({{"X-Api-Key", "abc"}}), "abc");
  EXPECT_EQ(key({{"authorization", "Basic abc"}}), "");
  EXPECT_EQ(key({{"authorization", "Bearer "}}), "");
  EXPECT_EQ(key({}), "");
}

TEST(Identify, FindsTheKeyInTheQueryOnlyWhereTheDialectHasItThere) {
  http::RequestHead head;
  head.query = "alt=sse&monkey=x&key=abc&key=def";
  EXPECT_EQ(presented_key(head), "");
  EXPECT_EQ(presented_key(head, "key"), "abc");
  head.query = "key";
  EXPECT_EQ(presented_key(head, "key"), "");
  const http::Field field{"x-goog-api-key", "mine"};
  head.query = "key=abc";
  head.fields = {&field, 1};
  EXPECT_EQ(presented_key(head, "key"), "mine") << "a field wins";
}

}  // namespace
}  // namespace causeway::keys

// Against a name server of our own on loopback: no other name is asked for.
#include "platform/net/dns.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "platform/net/loop.h"

namespace causeway::net {
namespace {

using namespace std::chrono_literals;

/// Answers A and AAAA questions from a table; names that are not in it do not exist; "silent.test"
/// gets no answer at all.
class NameServer {
 public:
  struct Record {
    std::vector<std::string> v4, v6;
    std::uint32_t ttl = 60;
  };

  explicit NameServer(std::map<std::string, Record> table) : table_(std::move(table)) {
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stopping_ = true;
    thread_.join();
    ::close(fd_);
  }
  std::string servers() const { return "127.0.0.1:" + std::to_string(port_); }
  int questions() const { return questions_; }

 private:
  void serve() {
    while (!stopping_) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 20) != 1) continue;
      char packet[512];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t count =
          ::recvfrom(fd_, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 12) continue;
      ++questions_;
      const std::string answer = answer_to(std::string(packet, static_cast<std::size_t>(count)));
      if (answer.empty()) continue;
      ::sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  std::string answer_to(const std::string& question) {
    std::string name;
    std::size_t at = 12;
    while (at < question.size() && question[at] != 0) {
      const auto length = static_cast<std::size_t>(question[at]);
      name += (name.empty() ? "" : ".") + question.substr(at + 1, length);
      at += length + 1;
    }
    const std::size_t end = at + 5;  // the zero, the type and the class
    const bool v6 = question[at + 2] == 28;
    if (name == "silent.test") return {};
    const auto found = table_.find(name);
    std::string out = question.substr(0, end);
    out[2] = static_cast<char>(0x81);
    out[3] = static_cast<char>(found == table_.end() ? 0x83 : 0x80);
    out[10] = out[11] = 0;  // no additional records
    if (found == table_.end()) return out;
    const auto& addresses = v6 ? found->second.v6 : found->second.v4;
    out[7] = static_cast<char>(addresses.size());
    for (const std::string& address : addresses) {
      const std::uint32_t ttl = htonl(found->second.ttl);
      out += std::string("\xc0\x0c\x00", 3) + static_cast<char>(v6 ? 28 : 1);
      out += std::string("\x00\x01", 2);
      out.append(reinterpret_cast<const char*>(&ttl), 4);
      char bytes[16];
      ::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes);
      out += '\0';
      out += static_cast<char>(v6 ? 16 : 4);
      out.append(bytes, v6 ? 16 : 4);
    }
    return out;
  }

  std::map<std::string, Record> table_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

struct Found {
  std::vector<std::string> addresses;
  std::uint16_t port = 0;
  std::optional<Error> error;
  bool done = false;
};

Task<void> look_up(Resolver& resolver, std::string host, Cancel& stop, Found& found) {
  auto result = co_await resolver.resolve(host, 443, stop);
  if (!result) {
    found.error = result.error();
  } else {
    for (const Address& address : *result) found.addresses.push_back(address.text());
    found.port = result->front().port();
  }
  found.done = true;
}

struct DnsTest : ::testing::Test {
  Loop loop{0, 10ms};
  NameServer server{{
      {"one.test", {{"127.0.0.9"}, {}, 60}},
      {"two.test", {{"127.0.0.1", "127.0.0.2"}, {"::1"}, 60}},
      {"brief.test", {{"127.0.0.3"}, {}, 0}},
      {"empty.test", {}},
  }};
  Resolver resolver{loop, {server.servers(), 200ms, 2, 4}};
  Cancel stop;

  Found find(const std::string& host) {
    Found found;
    spawn(look_up(resolver, host, stop, found));
    EXPECT_TRUE(loop.run_until([&] { return found.done; }, 5s));
    return found;
  }
};

TEST_F(DnsTest, LiteralsAndLocalhostNeedNoServer) {
  EXPECT_EQ(find("10.1.2.3").addresses, std::vector<std::string>{"10.1.2.3"});
  EXPECT_EQ(find("::1").addresses, std::vector<std::string>{"::1"});
  EXPECT_EQ(find("LocalHost").addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(find("a.localhost").port, 443);
  EXPECT_EQ(server.questions(), 0);
}

TEST_F(DnsTest, AsksOnceAndRemembersAsLongAsItMay) {
  EXPECT_EQ(find("one.test").addresses, std::vector<std::string>{"127.0.0.9"});
  const int asked = server.questions();
  EXPECT_GT(asked, 0);
  EXPECT_EQ(find("ONE.test").addresses, std::vector<std::string>{"127.0.0.9"});
  EXPECT_EQ(find("one.test").port, 443);
  EXPECT_EQ(server.questions(), asked);
  EXPECT_EQ(resolver.stats().queries_total, 1u);

  find("brief.test");
  loop.run_until([] { return false; }, 1050ms);  // a TTL of 0 counts as one second
  find("brief.test");
  EXPECT_EQ(resolver.stats().queries_total, 3u);
}

TEST_F(DnsTest, GivesBothFamiliesAndPutsFirstWhatWorked) {
  auto found = find("two.test");
  EXPECT_EQ(found.addresses.size(), 3u);
  resolver.prefer("two.test", *Address::ip(found.addresses[2], 80));
  EXPECT_EQ(find("two.test").addresses.front(), found.addresses[2]);
}

TEST_F(DnsTest, LookupsAtTheSameTimeAreOneQuery) {
  Found found[3];
  for (Found& one : found) spawn(look_up(resolver, "one.test", stop, one));
  EXPECT_TRUE(loop.run_until([&] { return found[0].done && found[1].done && found[2].done; }, 5s));
  EXPECT_EQ(found[2].addresses, std::vector<std::string>{"127.0.0.9"});
  EXPECT_EQ(resolver.stats().queries_total, 1u);
}

TEST_F(DnsTest, TellsThatANameDoesNotExist) {
  for (const char* name : {"missing.test", "empty.test"}) {
    const Found found = find(name);
    ASSERT_TRUE(found.error) << name;
    EXPECT_EQ(found.error->kind, ErrorKind::ConnectFailed);
    EXPECT_EQ(found.error->code, "dns_failed");
    EXPECT_NE(found.error->detail.find(name), std::string::npos);
  }
}

TEST_F(DnsTest, GivesUpOnASilentServer) {
  const Found found = find("silent.test");
  ASSERT_TRUE(found.error);
  EXPECT_EQ(found.error->code, "dns_failed");
}

TEST_F(DnsTest, IsCancelledWhileItWaits) {
  Found found, other;
  Cancel patient;
  spawn(look_up(resolver, "silent.test", stop, found));
  spawn(look_up(resolver, "silent.test", patient, other));
  loop.run_until([] { return false; }, 20ms);
  stop.request();
  EXPECT_FALSE(found.done);
  EXPECT_TRUE(loop.run_until([&] { return found.done; }, 150ms));
  EXPECT_EQ(found.error->kind, ErrorKind::Cancelled);
  EXPECT_FALSE(other.done);
  EXPECT_TRUE(loop.run_until([&] { return other.done; }, 5s));
  EXPECT_EQ(other.error->code, "dns_failed");
}

TEST_F(DnsTest, RemembersABoundedNumberOfNames) {
  for (int i = 0; i < 20; ++i) find("missing-" + std::to_string(i) + ".test");
  EXPECT_LE(resolver.stats().names, 4u);
  find("one.test");
  EXPECT_LE(resolver.stats().names, 4u);
}

}  // namespace
}  // namespace causeway::net

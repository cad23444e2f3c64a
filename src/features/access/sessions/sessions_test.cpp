#include "features/access/sessions/sessions.h"

#include <gtest/gtest.h>

#include "features/access/sessions/cookie.h"
#include "features/access/sessions/lockout.h"

namespace causeway::sessions {
namespace {

using namespace std::chrono_literals;

crypto::Digest key(std::uint8_t number) {
  crypto::Digest digest{};
  digest[0] = number;
  return digest;
}

TEST(Sessions, OpenUseClose) {
  ManualClock clock;
  Sessions sessions(clock);
  const Secret id = sessions.open(key(1));
  EXPECT_EQ(id.reveal().size(), 43u);
  EXPECT_EQ(sessions.use(id.reveal()), key(1));
  EXPECT_FALSE(sessions.use(""));
  EXPECT_FALSE(sessions.use(std::string(43, 'A')));
  EXPECT_NE(sessions.open(key(1)).reveal(), id.reveal());
  sessions.close(id.reveal());
  EXPECT_FALSE(sessions.use(id.reveal()));
  EXPECT_EQ(sessions.size(), 1u);
}

TEST(Sessions, EndWhenIdle) {
  ManualClock clock;
  Sessions sessions(clock);
  const Secret idle = sessions.open(key(1));
  const Secret busy = sessions.open(key(2));
  EXPECT_EQ(*sessions.ends(idle.reveal()), clock.wall() + 2h);
  clock.advance(100min);
  EXPECT_TRUE(sessions.use(busy.reveal()));
  clock.advance(20min);
  EXPECT_FALSE(sessions.ends(idle.reveal()));
  EXPECT_FALSE(sessions.use(idle.reveal()));
  EXPECT_TRUE(sessions.use(busy.reveal()));
}

TEST(Sessions, UseKeepsAliveUpToTwelveHours) {
  ManualClock clock;
  Sessions sessions(clock);
  const Secret id = sessions.open(key(1));
  for (int minutes = 0; minutes < 12 * 60 - 10; minutes += 10) {
    clock.advance(10min);
    ASSERT_TRUE(sessions.use(id.reveal())) << minutes;
  }
  EXPECT_EQ(*sessions.ends(id.reveal()), clock.wall() + 10min);
  clock.advance(10min);
  EXPECT_FALSE(sessions.use(id.reveal()));
}

TEST(Sessions, NoMoreThanTheMost) {
  ManualClock clock;
  Sessions sessions(clock);
  const Secret first = sessions.open(key(1));
  clock.advance(1s);
  const Secret second = sessions.open(key(2));
  for (std::size_t i = 2; i < Sessions::kMost; ++i) {
    static_cast<void>(sessions.open(key(static_cast<char>(10 + i % 100))));
  }
  clock.advance(1s);
  EXPECT_TRUE(sessions.use(first.reveal()));
  static_cast<void>(sessions.open(key(4)));
  EXPECT_EQ(sessions.size(), Sessions::kMost);
  EXPECT_TRUE(sessions.use(first.reveal()));    // used last
  EXPECT_FALSE(sessions.use(second.reveal()));  // used longest ago
}

TEST(Sessions, ManyOfOneKeyEndNobodyElses) {
  ManualClock clock;
  Sessions sessions(clock);
  const Secret other = sessions.open(key(1));
  clock.advance(1s);
  const Secret first = sessions.open(key(2));
  clock.advance(1s);
  for (std::size_t i = 0; i < 2 * Sessions::kMost; ++i) static_cast<void>(sessions.open(key(2)));
  EXPECT_EQ(sessions.size(), 1 + Sessions::kMostOfKey);
  EXPECT_TRUE(sessions.use(other.reveal()));
  EXPECT_FALSE(sessions.use(first.reveal()));
}

TEST(Sessions, CsrfFollowsFromTheIdAndTheProcess) {
  ManualClock clock;
  Sessions sessions(clock), others(clock);
  const Secret id = sessions.open(key(1));
  const Secret token = sessions.csrf(id.reveal());
  EXPECT_TRUE(token.equals(sessions.csrf(id.reveal()).reveal()));
  EXPECT_FALSE(token.equals(sessions.csrf(sessions.open(key(1)).reveal()).reveal()));
  EXPECT_FALSE(token.equals(others.csrf(id.reveal()).reveal()));
}

TEST(Lockout, FiveInAMinuteThenDoubling) {
  ManualClock clock;
  Lockout lockout(clock);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(lockout.failed("10.0.0.1"), 0s);
  EXPECT_EQ(lockout.wait("10.0.0.1"), 0s);
  EXPECT_EQ(lockout.failed("10.0.0.1"), 60s);
  EXPECT_EQ(lockout.wait("10.0.0.1"), 60s);
  EXPECT_EQ(lockout.wait("10.0.0.2"), 0s);
  clock.advance(59s + 1ms);
  EXPECT_EQ(lockout.wait("10.0.0.1"), 1s);
  clock.advance(1s);
  EXPECT_EQ(lockout.wait("10.0.0.1"), 0s);
  for (const auto expected : {120s, 240s, 480s, 900s, 900s}) {
    EXPECT_EQ(lockout.failed("10.0.0.1"), expected);
    clock.advance(expected);
  }
  clock.advance(61min);
  EXPECT_EQ(lockout.failed("10.0.0.1"), 0s);
}

TEST(Lockout, SlowFailuresAndSuccess) {
  ManualClock clock;
  Lockout lockout(clock);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(lockout.failed("::1"), 0s) << i;
    clock.advance(20s);
  }
  for (int i = 0; i < 4; ++i) static_cast<void>(lockout.failed("::1"));
  lockout.succeeded("::1");
  EXPECT_EQ(lockout.failed("::1"), 0s);
}

TEST(Lockout, RemembersNoMoreThanTheMost) {
  ManualClock clock;
  Lockout lockout(clock);
  for (int i = 0; i < 5; ++i) static_cast<void>(lockout.failed("victim"));
  EXPECT_GT(lockout.wait("victim"), 0s);
  for (std::size_t i = 0; i < 2 * Lockout::kMostAddresses; ++i) {
    static_cast<void>(lockout.failed(std::to_string(i)));
  }
  EXPECT_EQ(lockout.size(), Lockout::kMostAddresses);
}

TEST(Lockout, ANetworkOfIpv6IsOneAddress) {
  EXPECT_EQ(household("2001:db8:1:2:aaaa::1"), household("2001:db8:1:2:bbbb::2"));
  EXPECT_NE(household("2001:db8:1:2::1"), household("2001:db8:1:3::1"));
  EXPECT_EQ(household("192.0.2.1"), "192.0.2.1");
  EXPECT_NE(household("::ffff:192.0.2.1"), household("::ffff:192.0.2.2"));
}

http::RequestHead head_of(std::span<const http::Field> fields) {
  http::RequestHead head;
  head.fields = fields;
  return head;
}

TEST(Cookie, FoundAmongOthers) {
  const http::Field fields[] = {{"Cookie", "a=b; xcauseway_session=no"},
                                {"cookie", "theme=dark;causeway_session=abc-_1 ; z"}};
  EXPECT_EQ(session_of(head_of(fields)), "abc-_1");
  EXPECT_EQ(session_of(head_of(std::span(fields).first(1))), "");
}

TEST(Cookie, OwnPageAndOthers) {
  const auto own = [](std::string_view origin, std::string_view name, std::string_view host) {
    const http::Field fields[] = {{"Origin", origin}, {name, host}};
    return from_own_page(head_of(fields));
  };
  EXPECT_TRUE(own("http://127.0.0.1:8081", "host", "127.0.0.1:8081"));
  EXPECT_TRUE(own("https://Ops.example", "x-forwarded-host", "ops.example"));
  EXPECT_FALSE(own("http://127.0.0.1:8082", "host", "127.0.0.1:8081"));
  EXPECT_FALSE(own("http://evil.example", "host", "127.0.0.1:8081"));
  EXPECT_FALSE(own("null", "host", "127.0.0.1:8081"));
  EXPECT_FALSE(own("http://", "host", "127.0.0.1:8081"));
  EXPECT_TRUE(from_own_page(http::RequestHead{}));
}

TEST(Cookie, SecureBehindTls) {
  const http::Field fields[] = {{"x-forwarded-proto", "https"}};
  const auto behind = head_of(fields);
  EXPECT_EQ(set_cookie("id", 60, &behind),
            "causeway_session=id; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
  EXPECT_EQ(set_cookie("", 0, nullptr),
            "causeway_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

}  // namespace
}  // namespace causeway::sessions

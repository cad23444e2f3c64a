#include "features/insight/alerts/message.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "features/insight/alerts/notifier.h"
#include "features/insight/alerts/silences.h"
#include "platform/store/test_folder.h"

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

Alert alert_of(std::string id, std::string rule = "slow") {
  Alert alert;
  alert.id = std::move(id);
  alert.rule = std::move(rule);
  alert.group = "provider a";
  alert.summary = "Answer time of provider a: 4.2 s, limit 2.0 s";
  alert.causes = {{"provider", "a", 0.8, "provider a", ""}};
  alert.advice = "Fail over.";
  return alert;
}

Message message_of(std::string name) {
  Message message;
  message.id = "am_1";
  Alert alert = alert_of("al_1");
  alert.summary = "Answer time of provider " + name;
  alert.causes[0].name = alert.causes[0].text = name;
  message.began = {alert};
  return message;
}

const std::string kHostile =
    "x\r\nBcc: all@evil.example\r\n\r\n.\r\nMAIL FROM:<x> <!channel> <https://evil|click> & "
    "\xE2\x80\xAE\xFF\x1B[31m \xC2\x85";

TEST(Message, PlainTextIsText) {
  EXPECT_EQ(plain("a\r\nb\x1B c\x7F"), "a  b  c ");
  EXPECT_EQ(plain("\xE2\x80\xAEright\xFF"), " right?");
  EXPECT_EQ(plain("f\xC3\xBCr"), "f\xC3\xBCr");
  EXPECT_EQ(plain("f\xC3\xBCr", 2), "f");
}

TEST(Message, AMailsHeadHasOnlyOurLines) {
  const std::string mail = mail_text(message_of(kHostile), "gw@example.org", {"ops@example.org"});
  const std::string head = mail.substr(0, mail.find("\r\n\r\n"));
  EXPECT_EQ(mail.find("Bcc"), std::string::npos);
  EXPECT_EQ(mail.find("MAIL FROM"), std::string::npos);
  for (std::size_t at = 0; (at = mail.find('\n', at)) != std::string::npos; ++at) {
    ASSERT_TRUE(at > 0 && mail[at - 1] == '\r');
    ASSERT_NE(mail[at + 1], '.');
  }
  std::size_t lines = 0;
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    EXPECT_LE(end - at, 76u) << head.substr(at, end - at);
    if (head[at] != ' ') ++lines;
    at = end + 2;
  }
  EXPECT_EQ(lines, 9u) << head;
}

TEST(Message, SlackGetsNoMarkup) {
  const auto json = boost::json::parse(slack_json(message_of(kHostile)));
  const std::string text(json.at("text").as_string());
  EXPECT_EQ(text.find('<'), std::string::npos) << text;
  EXPECT_NE(text.find("&lt;!channel&gt;"), std::string::npos) << text;
  EXPECT_NE(text.find(" &amp; "), std::string::npos);
  EXPECT_FALSE(json.at("mrkdwn").as_bool());
}

TEST(Message, WebhooksAreJsonAndSigned) {
  const auto json = boost::json::parse(webhook_json(message_of(kHostile)));
  EXPECT_EQ(json.at("status").as_string(), "firing");
  EXPECT_EQ(json.at("alerts").at(0).at("rule").as_string(), "slow");
  // printf '1790000000.{}' | openssl dgst -sha256 -hmac secret
  EXPECT_EQ(signature("secret", 1790000000, "{}"),
            "t=1790000000,v1=d0cadd434460d4af55e7ab90d79c1802591d7001a77c9e06471d0e3ec8cc85ae");
}

const auto kNever = [](const Alert&) { return false; };
const Notifier::Times kTimes{2s, 1h};

TEST(Notifier, WhatBeginsTogetherIsOneMessage) {
  Notifier notifier;
  Monotonic now{};
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {}, kNever));
  now += 1s;
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1"), alert_of("2")}, {}, kNever));
  now += 1s;
  const auto message = notifier.due(now, kTimes, {alert_of("1"), alert_of("2")}, {}, kNever);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->began.size(), 2u);
  EXPECT_EQ(title(*message).substr(0, 19), "[ticket] 2 alerts: ");
  now += 10s;
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1"), alert_of("2")}, {}, kNever)) << "told";
  now += 1h;
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {alert_of("2")}, kNever));
  now += 2s;
  const auto later = notifier.due(now, kTimes, {alert_of("1")}, {}, kNever);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->goes_on.size(), 1u);
  EXPECT_EQ(later->ended.size(), 1u);
}

TEST(Notifier, TheEndOfWhatWasNotToldIsNotTold) {
  Notifier notifier;
  Monotonic now{};
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {}, kNever));
  now += 1s;
  EXPECT_FALSE(notifier.due(now, kTimes, {}, {alert_of("1")}, kNever));
  now += 10s;
  EXPECT_FALSE(notifier.due(now, kTimes, {}, {}, kNever));
}

TEST(Notifier, ASilenceThatEndsLetsGo) {
  Notifier notifier;
  Monotonic now{};
  const auto always = [](const Alert&) { return true; };
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {}, always));
  now += 10s;
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {}, always));
  EXPECT_FALSE(notifier.due(now, kTimes, {alert_of("1")}, {}, kNever));
  now += 2s;
  EXPECT_TRUE(notifier.due(now, kTimes, {alert_of("1")}, {}, kNever));
}

TEST(Notifier, ReceiversGetWhatIsTheirs) {
  Message message = message_of("a");
  message.began[0].receivers = {"ops"};
  EXPECT_FALSE(for_receiver(message, "ops").empty());
  EXPECT_TRUE(for_receiver(message, "chat").empty());
}

TEST(Silences, SurviveARestart) {
  store::TestFolder test;
  const auto folder = test.folder();
  ManualClock clock;
  clock.set_wall(Wall(1'790'000'000s));
  {
    const auto store = store::Store::open(folder).value();
    Silences silences(*store);
    ASSERT_TRUE(silences.load(clock.wall()));
    const auto kept = silences.keep(
        {"", "slow*", "provider a", clock.wall() + 1h, "key_1", "known"}, clock.wall());
    ASSERT_TRUE(kept);
    silences.added(*kept);
    EXPECT_TRUE(silences.until(alert_of("1"), clock.wall()));
  }
  const auto store = store::Store::open(folder).value();
  Silences silences(*store);
  ASSERT_TRUE(silences.load(clock.wall()));
  ASSERT_TRUE(silences.until(alert_of("2", "slow_answers"), clock.wall()));
  EXPECT_FALSE(silences.until(alert_of("2", "errors"), clock.wall()));
  Alert other = alert_of("3");
  other.group = "provider b";
  EXPECT_FALSE(silences.until(other, clock.wall()));
  clock.advance(1h);
  EXPECT_FALSE(silences.until(alert_of("1"), clock.wall()));
  ASSERT_TRUE(silences.forget(silences.current(clock.wall() - 1h)[0].id));
}

}  // namespace
}  // namespace causeway::alerts

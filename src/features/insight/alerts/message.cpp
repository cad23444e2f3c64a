#include "features/insight/alerts/message.h"

#include <cmath>
#include <cstdio>

#include "features/insight/alerts/time_text.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/text/utf8.h"

namespace causeway::alerts {
namespace {

std::string_view word_of(Severity severity) {
  return severity == Severity::Page ? "page" : severity == Severity::Ticket ? "ticket" : "info";
}

// U+202A to U+202E, U+2066 to U+2069, U+2028 and U+2029; U+0080 to U+009F.
bool is_hidden(std::string_view character) {
  if (character.size() == 1) {
    const auto c = static_cast<unsigned char>(character[0]);
    return c < 0x20 || c == 0x7F;
  }
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
  if (character.size() != 3 || at(0) != 0xE2) return false;
  return (at(1) == 0x80 && at(2) >= 0xA8 && at(2) <= 0xAE) ||
         (at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9);
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0f %%", share * 100);
  return text;
}

void append_alert(std::string& out, std::string_view state, const Alert& alert) {
  out +=
      std::string(state) + " [" + std::string(word_of(alert.severity)) + "] " + alert.rule + "\n";
  out += "  " + plain(alert.summary) + "\n";
  for (const Cause& cause : alert.causes) {
    out += "  cause: " + plain(cause.text);
    if (cause.share > 0) out += " (" + percent(cause.share) + " of it)";
    out += "\n";
  }
  if (!alert.ended) out += "  do: " + plain(alert.advice) + "\n";
  out += "  since " + time_text(alert.since);
  if (alert.ended) out += ", ended " + time_text(*alert.ended);
  out += ", id " + alert.id + "\n";
}

void append_slack_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
}

}  // namespace

std::string plain(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = text::utf8_length(text);
    if (length == 0) {
      out += '?';
      text.remove_prefix(1);
      continue;
    }
    const std::string_view character = text.substr(0, length);
    if (is_hidden(character)) {
      out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(length);
  }
  return std::string(text::utf8_cut(out, most));
}

std::string title(const Message& message) {
  if (message.test) return "Test message of Causeway's alerts";
  const std::size_t count = message.began.size() + message.goes_on.size() + message.ended.size();
  const bool over = message.began.empty() && message.goes_on.empty();
  const auto& firsts = !message.began.empty()     ? message.began
                       : !message.goes_on.empty() ? message.goes_on
                                                  : message.ended;
  const Alert& first = firsts.front();
  std::string out = over ? "[all clear] " : "[" + std::string(word_of(first.severity)) + "] ";
  if (count > 1) out += std::to_string(count) + " alerts: ";
  return plain(out + first.summary, 200);
}

std::string body_text(const Message& message) {
  if (message.test) {
    return "This is a test: whoever reads it is told when something is wrong with the gateway.\n";
  }
  std::string out;
  for (const Alert& alert : message.began) append_alert(out, "FIRING", alert);
  for (const Alert& alert : message.goes_on) append_alert(out, "STILL FIRING", alert);
  for (const Alert& alert : message.ended) append_alert(out, "ALL CLEAR", alert);
  return out;
}

void write_alert(text::JsonWriter& json, const Alert& alert) {
  json.field("id", alert.id).field("rule", alert.rule);
  json.field("severity", word_of(alert.severity)).field("group", plain(alert.group));
  json.field("since", time_text(alert.since));
  if (alert.ended) json.field("ended", time_text(*alert.ended));
  json.field("summary", plain(alert.summary));
  json.key("cause").begin_array();
  for (const Cause& cause : alert.causes) {
    json.begin_object().field("kind", cause.kind).field("name", plain(cause.name));
    json.field("share", std::round(cause.share * 1000) / 1000);
    json.field("text", plain(cause.text)).end_object();
  }
  json.end_array().field("advice", plain(alert.advice));
  json.field("value", alert.value).field("limit", alert.limit);
  json.field("value_text", alert.value_text).field("limit_text", alert.limit_text);
  json.key("links").begin_object().field("traces", alert.traces).end_object();
}

std::string webhook_json(const Message& message) {
  const bool firing = !message.began.empty() || !message.goes_on.empty();
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("id", message.id);
  json.field("status", message.test ? "test" : firing ? "firing" : "ended");
  json.field("title", title(message)).field("sent", time_text(message.made));
  json.key("alerts").begin_array();
  for (const auto* list : {&message.began, &message.goes_on, &message.ended}) {
    for (const Alert& alert : *list) {
      json.begin_object().field("status", alert.ended ? "ended" : "firing");
      write_alert(json, alert);
      json.end_object();
    }
  }
  json.end_array().end_object();
  return out;
}

std::string signature(std::string_view secret, std::int64_t unix_seconds, std::string_view body) {
  const std::string time = std::to_string(unix_seconds);
  const crypto::Hmac hmac(secret);
  const auto digest = hmac(time + "." + std::string(body));
  return "t=" + time + ",v1=" + crypto::to_hex(crypto::view(digest));
}

std::string slack_json(const Message& message) {
  std::string text;
  append_slack_escaped(text, title(message) + "\n" + body_text(message));
  std::string out;
  text::JsonWriter json(out);
  // No formatting and no previews: names come from callers.
  json.begin_object().field("text", text).field("mrkdwn", false);
  json.field("unfurl_links", false).field("unfurl_media", false).end_object();
  return out;
}

}  // namespace causeway::alerts

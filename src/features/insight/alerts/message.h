// A message to people about alerts, in the forms that receivers take. What stands in it comes from
// configuration, callers and providers: each form has its own way to keep that text and nothing but
// text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "features/insight/alerts/board.h"
#include "platform/text/json_writer.h"

namespace causeway::alerts {

struct Message {
  std::string id;  // the same for each try, so that a receiver knows what it has
  std::vector<Alert> began, goes_on, ended;
  bool test = false;
  Wall made{};

  bool empty() const { return began.empty() && goes_on.empty() && ended.empty() && !test; }
};

/// Without control characters, marks that change the direction of writing, and bytes that are no
/// UTF-8; at most `most` bytes.
std::string plain(std::string_view text, std::size_t most = 1000);

/// "[page] Answer time of provider b: 4.2 s, …" or "3 alerts: …".
std::string title(const Message& message);
/// The whole of it, for people.
std::string body_text(const Message& message);

/// The fields of an alert; without its brackets.
void write_alert(text::JsonWriter& json, const Alert& alert);

/// {"id","status":"firing|ended|test","title","alerts":[…]}.
std::string webhook_json(const Message& message);
/// "t=1790000000,v1=hex": HMAC-SHA256 under `secret` of "1790000000." and the body.
std::string signature(std::string_view secret, std::int64_t unix_seconds, std::string_view body);
/// What Slack's incoming webhooks take, and others in their form.
std::string slack_json(const Message& message);
/// Head and body of a mail.
std::string mail_text(const Message& message, const std::string& from,
                      const std::vector<std::string>& to);

}  // namespace causeway::alerts

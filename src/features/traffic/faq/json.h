// Entries as JSON: in requests and replies of the admin port, and sealed in the store.
#pragma once

#include <string_view>

#include "features/traffic/faq/entry.h"
#include "platform/base/error.h"
#include "platform/text/json_writer.h"

namespace boost::json {
class object;
class value;
}  // namespace boost::json

namespace causeway::faq {

/// The members that `object` has replace those of `draft`; others that are not in `also` are errors
/// (InvalidRequest "faq_entry"). Nothing is checked beyond their types.
Result<void> read_draft(const boost::json::object& object, Draft& draft,
                        std::initializer_list<std::string_view> also = {});

/// Members of an open object: what staff wrote.
void write_draft(text::JsonWriter& json, const Draft& draft, bool with_answer = true);
/// A whole object: with id, version, who and when, and how it stands now.
void write_entry(text::JsonWriter& json, const Entry& entry, Seconds now, bool with_answer = true);

/// "disabled", "future", "expired", "valid".
std::string_view state_of(const Draft& draft, Seconds now);

/// A request's body. Errors: "faq_entry".
Result<boost::json::value> parse_body(std::string_view body);

}  // namespace causeway::faq

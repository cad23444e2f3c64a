// Whether a JSON value is what a JSON schema says. The subset that callers of models use: type,
// enum, const, properties, required, additionalProperties, items, minItems, maxItems, minLength,
// maxLength, minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf (as anyOf), allOf,
// and $ref inside the same schema. Every other keyword is passed over: it never makes a value
// wrong. Source: JSON Schema, draft 2020-12. Boost.JSON: for work that is no request's hot path.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::schema {

/// A JSON text of up to 128 levels. Errors: InvalidRequest with what is wrong.
Result<boost::json::value> parse_json(std::string_view text);

/// What a reference ("#/$defs/a") inside `root` leads to; null where there is nothing.
const boost::json::value* resolve(const boost::json::value& root, std::string_view reference);

/// Empty where `value` is what `schema` says, else what is wrong, in a line without the value's own
/// words. References in `schema` are looked up in `root`. A schema that leads to itself for ever
/// is wrong for every value.
std::string mismatch(const boost::json::value& root, const boost::json::value& schema,
                     const boost::json::value& value);

}  // namespace causeway::schema

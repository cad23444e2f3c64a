// What both readers of this dialect need around simdjson's on-demand interface.
#pragma once

#include <simdjson.h>

#include <utility>

namespace causeway::openai {

namespace od = simdjson::ondemand;

/// The value of a result, or simdjson_error thrown.
template <class T>
T take(simdjson::simdjson_result<T> result) {
  T value;
  const auto error = std::move(result).get(value);
  if (error) throw simdjson::simdjson_error(error);
  return value;
}

}  // namespace causeway::openai

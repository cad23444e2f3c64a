// One field of a head on its way out: what may stand in it, and its bytes.
#pragma once

#include <string>
#include <string_view>

namespace causeway::http::detail {

/// Whether a text holds no control character but tab, so that no field value can ever begin a line
/// of its own.
bool is_field_value(std::string_view text);

/// "Name: value\r\n"
void append_field(std::string& out, std::string_view name, std::string_view value);

}  // namespace causeway::http::detail

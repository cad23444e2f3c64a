#include "platform/log/detail/line_format.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <type_traits>

#include "platform/text/json_writer.h"
#include "platform/text/number.h"

namespace causeway::log::detail {
namespace {

void append_value(text::JsonWriter& json, const Value& value) {
  std::visit([&](const auto& held) { json.value(held); }, value.get());
}

/// Bare when nothing in it could be mistaken, else quoted as in JSON.
void append_bare_or_quoted(std::string& out, std::string_view value) {
  const bool bare = !value.empty() && std::ranges::all_of(value, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7F;
  });
  if (!bare) {
    text::append_json_string(out, value);
  } else {
    text::append_json_escaped(out, value);
  }
}

void append_text_value(std::string& out, const Value& value) {
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          append_bare_or_quoted(out, held);
        } else if constexpr (std::is_same_v<T, bool>) {
          out += held ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          text::append_double(out, held);
        } else {
          text::append_int(out, held);
        }
      },
      value.get());
}

std::string_view colour(Level level) {
  switch (level) {
    case Level::Debug:
      return "\x1b[2m";
    case Level::Info:
      return "\x1b[32m";
    case Level::Warn:
      return "\x1b[33m";
    case Level::Error:
      break;
  }
  return "\x1b[31m";
}

}  // namespace

void append_utc(std::string& out, Wall time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<milliseconds>(time - day)};
  std::array<char, 40> text;
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(length));
}

std::string format_json(const Line& line) {
  std::string out;
  text::JsonWriter json(out);
  std::string time;
  append_utc(time, line.time);
  json.begin_object().field("time", time).field("level", to_string(line.level));
  json.field("message", line.message);
  for (const auto& field : line.fields) {
    json.key(field.key);
    append_value(json, field.value);
  }
  if (!line.before.empty()) json.field("before", line.before);
  if (line.suppressed > 0) json.field("suppressed", line.suppressed);
  json.end_object();
  return out;
}

std::string format_text(const Line& line, bool colours) {
  std::string out;
  append_utc(out, line.time);
  out += ' ';
  if (colours) out += colour(line.level);
  out += to_string(line.level);
  if (colours) out += "\x1b[0m";
  out.append(6 - to_string(line.level).size(), ' ');
  text::append_json_escaped(out, line.message);
  for (const auto& field : line.fields) {
    out += ' ';
    append_bare_or_quoted(out, field.key);
    out += '=';
    append_text_value(out, field.value);
  }
  if (!line.before.empty()) {
    out += " before=";
    append_bare_or_quoted(out, line.before);
  }
  if (line.suppressed > 0) {
    out += " suppressed=";
    text::append_int(out, line.suppressed);
  }
  return out;
}

}  // namespace causeway::log::detail

#include "features/privacy/pii/url_context.h"

#include <algorithm>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
constexpr bool is_html_blank(char c) { return is_blank(c) || c == '\f'; }
constexpr bool in_host(char c) { return is_alnum(c) || (c & 0x80) != 0; }
constexpr bool ends_tag_name(char c) { return is_html_blank(c) || c == '/' || c == '>'; }

// The bytes at which something may begin.
constexpr bool may_begin(char c) {
  return c == ':' || c == '/' || c == '(' || c == '.' || c == '<' || c == '?' || c == '@' ||
         c == '&' || c == '%' || c == '\\';
}

std::size_t next_begin(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    return (block == ':') | (block == '/') | (block == '(') | (block == '.') | (block == '<') |
           (block == '?') | (block == '@') | (block == '&') | (block == '%') | (block == '\\');
  };
  return find_byte(text, at, many, may_begin);
}

// The bytes that change nothing, wherever they stand and something has begun.
constexpr auto kDull = [] {
  std::array<bool, 256> dull{};
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    dull[static_cast<std::size_t>(i)] = (is_alnum(c) || (c & 0x80) != 0 || c == '-' || c == '_' ||
                                         c == ',' || c == ';' || c == '#') &&
                                        c != 't' && c != 'T' && c != '0';
  }
  return dull;
}();

constexpr std::string_view kSchemes[] = {"http", "https", "ftp", "file", "ws", "wss"};
// Behind these "://" is nothing that a page or a program for links would open.
constexpr std::string_view kDatabases[] = {"postgres",    "postgresql", "mysql", "mariadb",
                                           "mongodb",     "redis",      "amqp",  "sqlserver",
                                           "mongodb+srv", "clickhouse"};
constexpr std::string_view kPlainAttributes[] = {"alt", "title", "placeholder", "aria-label"};
constexpr std::string_view kRaw[] = {"</style", "</script"};

// The states of HTML's tokenizer inside of a tag. A value is "plain" where no URL can be in it.
enum Tag : std::uint8_t {
  Open,  // behind "<"
  Name,
  Before,  // an attribute
  Attribute,
  After,  // an attribute's name
  Equals,
  Bare,
  Double,
  Single,
  PlainEquals,
  PlainDouble,
  PlainSingle,
  Closed,
};
constexpr std::uint16_t bit(Tag tag) { return static_cast<std::uint16_t>(1U << tag); }
constexpr std::uint16_t kInValue =
    bit(Equals) | bit(Bare) | bit(Double) | bit(Single) | bit(PlainEquals);

Tag next_tag(Tag tag, char c, bool plain) {
  const bool blank = is_html_blank(c);
  const auto outside_value = [&](Tag on_name) {
    return blank || c == '/' ? Before : c == '>' ? Closed : on_name;
  };
  switch (tag) {
    case Open:
      return is_letter(c) || c == '?' ? Name : Closed;
    case Name:
      return outside_value(Name);
    case Before:
      return outside_value(Attribute);
    case Attribute:
    case After:
      if (c == '=') return plain ? PlainEquals : Equals;
      if (blank) return After;
      return outside_value(Attribute);
    case Equals:
    case PlainEquals:
      if (blank) return tag;
      if (c == '"') return tag == Equals ? Double : PlainDouble;
      if (c == '\'') return tag == Equals ? Single : PlainSingle;
      return c == '>' ? Closed : Bare;
    case Bare:
      return blank ? Before : c == '>' ? Closed : Bare;
    case Double:
    case PlainDouble:
      return c == '"' ? Before : tag;
    case Single:
    case PlainSingle:
      return c == '\'' ? Before : tag;
    case Closed:
      break;
  }
  return Closed;
}

}  // namespace

bool UrlContext::is_calm() const {
  return run_ == Run::Clean && target_ == Target::None && !line_ && raw_ == 0 && tags_ == 0 &&
         escape_ == 0;
}

bool UrlContext::may_skip() const {
  constexpr std::uint16_t kNext =
      bit(Open) | bit(Before) | bit(After) | bit(Equals) | bit(PlainEquals);
  const bool in_target = target_ == Target::None || target_ == Target::Inside;
  return in_target && (tags_ & kNext) == 0 && escape_ == 0;
}

/// Whether `word`, in any case, stands right before the last `steps` bytes.
bool UrlContext::ends_with(std::string_view word, std::size_t steps) const {
  if (word.size() + steps > size_) return false;
  for (std::size_t i = 1; i <= word.size(); ++i) {
    if (to_lower(back(steps + i)) != word[word.size() - i]) return false;
  }
  return true;
}

bool UrlContext::inside() const {
  if (line_ || raw_ != 0 || run_ == Run::Url) return true;
  const bool in_target = target_ != Target::None;
  const bool in_value = (tags_ & kInValue) != 0;
  return (in_target || in_value) && !is_mail();
}

/// Whether nothing but "mailto:" or "tel:" stands in the target so far.
bool UrlContext::is_mail() const {
  for (const std::string_view scheme : {"mailto:", "tel:"}) {
    if (!ends_with(scheme)) continue;
    const std::size_t steps = scheme.size();
    if ((tags_ & kInValue) == 0) return target_ == Target::Inside && ends_with("](", steps);
    // A quote that stands inside of another value does not begin one.
    const bool own = (ends_with("href=\"", steps) && tags_ == bit(Double)) ||
                     (ends_with("href='", steps) && tags_ == bit(Single));
    constexpr std::size_t kHref = 6;  // bytes of href="
    return own && target_ == Target::None && is_html_blank(back(steps + kHref + 1));
  }
  return false;
}

void UrlContext::read(std::string_view text, bool json) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t next = i;
    if (is_calm()) {
      next = next_begin(text, i);
    } else if (may_skip()) {
      while (next < text.size() && kDull[static_cast<unsigned char>(text[next])]) ++next;
    }
    remember(text.substr(i, next - i));
    i = next;
    if (i == text.size()) break;
    if (json) {
      read_json(text[i]);
    } else {
      step(text[i]);
    }
  }
}

void UrlContext::remember(std::string_view span) {
  if (span.size() > kRecent) {
    span.remove_prefix(span.size() - kRecent);
    size_ = 0;
  } else if (size_ + span.size() > recent_.size()) {
    std::copy(recent_.data() + size_ - kRecent, recent_.data() + size_, recent_.data());
    size_ = kRecent;
  }
  std::ranges::copy(span, recent_.data() + size_);
  size_ += span.size();
}

void UrlContext::read_json(char c) {
  constexpr std::uint8_t kAll = 6;  // bytes of \u0020
  if (escape_ > 1) {
    const int digit = is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10;
    code_ = code_ * 16 + (static_cast<std::uint32_t>(digit) & 0xf);
    if (++escape_ < kAll) return;
    escape_ = 0;
    step(code_ < 0x80 ? static_cast<char>(code_) : '\x80');
  } else if (escape_ == 1) {
    escape_ = c == 'u' ? 2 : 0;
    code_ = 0;
    if (c == 'u') return;
    step(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == 'f' || c == 'b' ? '\f' : c);
  } else if (c == '\\') {
    escape_ = 1;
  } else if (c == '"') {  // the string begins or ends, and with it all that is in it
    *this = {};
  } else {
    step(c);
  }
}

void UrlContext::step(char c) {
  if (c == '\n') line_ = false;
  if (tags_ != 0 || raw_ != 0) step_tags(c);
  if (target_ != Target::None) step_target(c);
  if (is_blank(c)) {
    run_ = Run::Clean;
  } else {
    step_run(c);
  }
  remember({&c, 1});
}

void UrlContext::mark(Run run) { run_ = std::max(run_, run); }

void UrlContext::step_run(char c) {
  const auto whole_word = [this](std::string_view word) {
    return ends_with(word) && !is_alnum(back(word.size() + 1));
  };
  const char before = back(1);
  switch (c) {
    case '&':  // an entity may be any byte, and a percent form as well
    case '%':
      return mark(Run::Url);
    case '/':
    case '\\':
      return step_slash(c);
    case ':':  // browsers take "https:host" for "https://host"
      if (before == ']') target_ = Target::Reference;
      if (std::ranges::any_of(kSchemes, whole_word)) mark(Run::Url);
      return;
    case '.':
      if (ends_with("www")) mark(Run::Url);
      return;
    case '?':
      return mark(has_host() ? Run::Url : Run::Query);
    case '=':
      if (run_ == Run::Query) mark(Run::Url);
      return;
    case '(':
      if (before == ']') target_ = Target::Open;
      if (ends_with("url") || ends_with("image-set")) line_ = true;
      return;
    case '@':
      return mark(Run::Watched);
    case 't':
    case 'T':
      if (ends_with("@impor")) line_ = true;
      return;
    case '0':  // the escape of JSON in JSON may be any byte, a blank and "<" as well
      if (ends_with("\\u0")) line_ = true;
      return;
    case '<':
      tags_ |= bit(Open);
      return;
    default:
      return;
  }
}

void UrlContext::step_slash(char c) {
  const auto is_last = [this](std::string_view word) { return ends_with(word, 1); };
  const char before = back(1);
  if (c == '\\') {
    return mark(before == ':' || before == '/' || before == '\\' ? Run::Url : Run::Watched);
  }
  if (before == ':' && !std::ranges::any_of(kDatabases, is_last)) return mark(Run::Url);
  const bool second = before == '/' && back(2) == ':';  // the first has decided
  if (before == '\\' || (before == '/' && !second) || has_host()) mark(Run::Url);
}

/// Whether a name with a dot in it stands here: programs make a link of it.
bool UrlContext::has_host() const {
  for (std::size_t i = 1; i < kRecent; ++i) {
    const char c = back(i);
    if (c == '.' && i > 1 && in_host(back(i - 1)) && in_host(back(i + 1))) return true;
    if (!in_host(c) && c != '.' && c != '-' && c != ':' && c != '@') return false;
  }
  return false;
}

void UrlContext::step_target(char c) {
  const bool blank = is_blank(c);
  if (target_ == Target::Reference) {
    if (blank) return;
    target_ = Target::None;
    if (c == '<') line_ = true;
    mark(Run::Url);
    return;
  }
  if (target_ == Target::Open) {
    if (blank) return;
    target_ = Target::Inside;
    depth_ = 0;
    if (c == '<') line_ = true;
  }
  if (target_ == Target::Gap) {
    if (blank && c != '\n') return;
    const bool title = c == '"' || c == '\'' || c == '(';
    target_ = blank || title || c == ')' ? Target::None : Target::Inside;
  }
  if (target_ == Target::None) return;
  if (blank) target_ = c == '\n' ? Target::None : Target::Gap;
  if (c == '\\') line_ = true;  // which bracket closes it depends on who reads
  if (c == '(') ++depth_;
  if (c == ')' && depth_-- == 0) target_ = Target::None;
}

bool UrlContext::is_plain_attribute() const {
  std::size_t blanks = 0;
  while (blanks < kRecent && is_html_blank(back(blanks + 1))) ++blanks;
  return std::ranges::any_of(kPlainAttributes, [&](std::string_view name) {
    const std::size_t steps = blanks + name.size() + 1;
    return ends_with(name, blanks) && is_html_blank(back(steps));
  });
}

// A tag may begin inside of what looks like a value (behind a quote in a comment, say): each goes
// on by itself, and all of them count.
void UrlContext::step_tags(char c) {
  if (ends_tag_name(c)) {
    for (std::uint8_t i = 0; i < std::size(kRaw); ++i) {
      const bool begins = ends_with(kRaw[i].substr(2)) && back(kRaw[i].size() - 1) == '<';
      if (raw_ == 0 && begins) raw_ = i + 1;
      // "\<" and "<" in a code span are text in Markdown.
      const char front = back(kRaw[i].size() + 1);
      if (raw_ == i + 1 && ends_with(kRaw[i]) && front != '\\' && front != '`') raw_ = 0;
    }
  }
  const bool plain = c == '=' && is_plain_attribute();
  std::uint16_t next = 0;
  for (std::uint16_t rest = tags_; rest != 0; rest &= rest - 1) {
    next |= bit(next_tag(static_cast<Tag>(std::countr_zero(rest)), c, plain));
  }
  tags_ = next & ~bit(Closed);
}

}  // namespace causeway::pii

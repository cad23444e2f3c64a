#include "features/privacy/minimise/mail.h"

#include <algorithm>
#include <vector>

#include "features/privacy/minimise/mail_words.h"
#include "platform/text/ascii.h"

namespace causeway::minimise {
namespace {

constexpr std::size_t kLongestAttribution = 3;  // lines
constexpr std::size_t kLongestFields = 8;       // lines above a quoted mail
constexpr std::size_t kLongestSignature = 12;   // lines behind "-- "
constexpr std::size_t kLongestName = 10;        // lines behind "Kind regards,"
constexpr std::size_t kLongestLine = 100;       // bytes of a line in a signature
constexpr std::size_t kLongestNameLine = 50;    // bytes of its first

class Mail {
 public:
  Mail(std::string_view text, MailParts parts) : parts_(parts) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      lines_.push_back(
          {text.substr(0, end), text::trim(text.substr(0, end)), lower_line(text.substr(0, end))});
      text.remove_prefix(end);
    }
  }

  std::optional<std::string> without() {
    find_quotes();
    if (parts_.signatures) find_signatures();
    std::string out;
    bool any = false;
    for (const Line& line : lines_) {
      const bool gone = line.signature || (line.quoted && parts_.quotes);
      any |= gone;
      if (!gone) out += line.whole;
    }
    if (!any || text::trim(out).empty()) return std::nullopt;
    while (text::is_space(out.back())) out.pop_back();
    // "Translate this:" speaks of what was quoted below it.
    if (out.ends_with(':')) return std::nullopt;
    return out;
  }

 private:
  struct Line {
    std::string_view whole;  // with its end
    std::string_view text;   // without white space around it
    std::string lower;
    bool quoted = false;
    bool signature = false;
    bool blank() const { return text.empty(); }
  };

  // "> ", ">>", and not what a shell or a program has behind one.
  static bool has_quote_mark(const Line& line) {
    return line.text.starts_with('>') &&
           (line.text.size() == 1 || line.text[1] == ' ' || line.text[1] == '>');
  }

  bool anything_before(std::size_t at) const {
    return std::any_of(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(at),
                       [](const Line& line) { return !line.blank() && !line.quoted; });
  }

  void quote(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) lines_[i].quoted = true;
  }

  std::size_t next_words(std::size_t at) const {
    while (at < lines_.size() && lines_[at].blank()) ++at;
    return at;
  }

  // Its number of lines, 0 = none begins here.
  std::size_t attribution_at(std::size_t at) const {
    if (!begins_attribution(lines_[at].lower)) return 0;
    std::string joined;
    for (std::size_t n = 0; n < kLongestAttribution && at + n < lines_.size(); ++n) {
      if (lines_[at + n].blank()) break;
      if (n > 0) joined += ' ';
      joined += lines_[at + n].lower;
      if (is_attribution(joined)) return n + 1;
    }
    return 0;
  }

  // From, when, and to whom or about what, one below the other.
  bool fields_at(std::size_t at) const {
    if (field_of(lines_[at].lower) != MailField::From) return false;
    bool date = false, more = false;
    for (std::size_t i = at + 1; i < std::min(at + kLongestFields, lines_.size()); ++i) {
      const MailField field = field_of(lines_[i].lower);
      if (field == MailField::None && !lines_[i].blank()) break;
      date |= field == MailField::Date;
      more |= field == MailField::To || field == MailField::Subject;
    }
    return date && more;
  }

  void find_quotes() {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Line& line = lines_[i];
      if (line.blank() || line.quoted) continue;
      if (is_forward_mark(line.lower)) return;
      if (has_quote_mark(line)) {
        lines_[i].quoted = true;
        continue;
      }
      const std::size_t attribution = attribution_at(i);
      if (attribution > 0) {
        const std::size_t words = next_words(i + attribution);
        if (words < lines_.size() && has_quote_mark(lines_[words])) {
          quote(i, words);
        } else if (words < lines_.size() && anything_before(i)) {
          return quote(i, lines_.size());
        }
        continue;
      }
      if ((is_original_mark(line.lower) || fields_at(i)) && anything_before(i)) {
        return quote(i, lines_.size());
      }
    }
  }

  // Each stretch of a mail between quotes may end in one.
  void find_signatures() {
    for (std::size_t begin = 0; begin < lines_.size();) {
      std::size_t end = begin;
      while (end < lines_.size() && !lines_[end].quoted && !is_forward_mark(lines_[end].lower)) {
        ++end;
      }
      find_signature(begin, end);
      begin = end + 1;
    }
  }

  std::size_t last_words(std::size_t begin, std::size_t end) const {
    while (end > begin && lines_[end - 1].blank()) --end;
    return end;
  }

  void find_signature(std::size_t begin, std::size_t end) {
    const auto cut = [&](std::size_t from) {
      const std::size_t words = last_words(begin, from);  // empty lines in front go as well
      for (std::size_t i = words; i < end; ++i) lines_[i].signature = true;
      end = words;
    };
    end = last_words(begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      if (begins_disclaimer(lines_[i].lower)) {
        cut(i);
        break;
      }
    }
    while (end > begin && is_device_note(lines_[end - 1].lower)) cut(end - 1);
    if (const auto mark = signature_mark(begin, end); mark < end) cut(mark);
    while (end > begin && is_device_note(lines_[end - 1].lower)) cut(end - 1);
    if (const auto closing = closing_at(begin, end); closing < end) cut(closing);
  }

  // RFC 3676, section 4.3: "-- "; the space is often lost.
  std::size_t signature_mark(std::size_t begin, std::size_t end) const {
    const std::size_t first =
        std::max(begin, end > kLongestSignature ? end - kLongestSignature : 0);
    for (std::size_t i = first; i < end; ++i) {
      if (lines_[i].text == "--" && lines_[i].whole.starts_with("--")) return i;
    }
    return end;
  }

  std::size_t closing_at(std::size_t begin, std::size_t end) const {
    std::size_t words = 0;
    for (std::size_t i = end; i-- > begin && words <= kLongestName; ++words) {
      if (lines_[i].blank()) continue;
      std::string_view rest;
      if (is_closing(lines_[i].lower, rest) && is_name_block(i + 1, end, rest)) return i;
    }
    return end;
  }

  static bool is_sentence(std::string_view text) {
    if (text.find('?') != std::string_view::npos || text.ends_with('!')) return true;
    return text.ends_with('.') && std::ranges::count(text, ' ') >= 5;
  }

  // What stands below "Kind regards,": a name and how to reach it, no more to be said.
  bool is_name_block(std::size_t begin, std::size_t end, std::string_view rest) const {
    if (is_sentence(rest)) return false;
    bool first = rest.empty();
    for (std::size_t i = begin; i < end; ++i) {
      const Line& line = lines_[i];
      if (line.blank()) continue;
      if (line.text.size() > kLongestLine || is_sentence(line.text)) return false;
      if (line.lower.starts_with("ps") || line.lower.starts_with("p.s")) return false;
      if (first && !is_name(line.text)) return false;
      first = false;
    }
    return true;
  }

  // Up to five words, each with a capital or a small word as names have them.
  static bool is_name(std::string_view text) {
    if (text.size() > kLongestNameLine) return false;
    std::size_t words = 0, small = 0;
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(word.size() + 1, text.size()));
      if (word.empty()) continue;
      ++words;
      const char c = word.front();
      if (text::is_digit(c)) return false;
      if (c >= 'a' && c <= 'z') ++small;
    }
    return words > 0 && words <= 5 && (small * 2 < words || words == 1);
  }

  MailParts parts_;
  std::vector<Line> lines_;
};

}  // namespace

std::optional<std::string> without_mail_parts(std::string_view text, MailParts parts) {
  return Mail(text, parts).without();
}

}  // namespace causeway::minimise

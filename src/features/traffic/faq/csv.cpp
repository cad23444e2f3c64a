#include "features/traffic/faq/csv.h"

#include <algorithm>
#include <array>

namespace causeway::faq {
namespace {

constexpr std::size_t kMostFields = 64;

std::unexpected<Error> at_line(std::size_t line, std::string_view what) {
  return fail(ErrorKind::InvalidRequest, Origin::Client,
              "Line " + std::to_string(line) + ": " + std::string(what), "faq_import");
}

char separator_of(std::string_view text) {
  constexpr std::array kSeparators{',', ';', '\t'};
  std::array<std::size_t, kSeparators.size()> seen{};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    for (std::size_t i = 0; i < kSeparators.size(); ++i) seen[i] += c == kSeparators[i];
  }
  return kSeparators[static_cast<std::size_t>(std::ranges::max_element(seen) - seen.begin())];
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), separator_(separator_of(text)) {}

  Result<std::vector<CsvRow>> rows(std::size_t most) {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{line_, {}};
      if (auto read = fields(row); !read) return pass(std::move(read));
      if (row.fields.size() == 1 && row.fields[0].empty()) continue;
      if (rows.size() == most) {
        return at_line(row.line, "there are more rows than can be taken at once.");
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool here(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool at_line_end() const { return at_ == text_.size() || here('\n') || here('\r'); }

  void end_line() {
    if (here('\r')) ++at_;
    if (here('\n')) ++at_;
    ++line_;
  }

  Result<void> fields(CsvRow& row) {
    for (;;) {
      if (row.fields.size() == kMostFields) return at_line(line_, "has more than 64 fields.");
      std::string& field = row.fields.emplace_back();
      auto read = here('"') ? quoted(field) : plain(field);
      if (!read) return read;
      if (at_line_end()) {
        end_line();
        return {};
      }
      ++at_;  // the separator
    }
  }

  Result<void> plain(std::string& field) {
    const std::size_t begin = at_;
    while (!at_line_end() && text_[at_] != separator_) {
      if (text_[at_] == '"') {
        return at_line(line_,
                       "a quote stands inside of a field that does not begin with one; put the "
                       "field in quotes and double those inside.");
      }
      ++at_;
    }
    field = text_.substr(begin, at_ - begin);
    return {};
  }

  Result<void> quoted(std::string& field) {
    const std::size_t began = line_;
    ++at_;
    for (;;) {
      if (at_ == text_.size()) return at_line(began, "a quote is opened and not closed.");
      const char c = text_[at_++];
      if (c != '"') {
        // A line end inside of a field is LF for us, whatever the file's are.
        if (c == '\r' && here('\n')) continue;
        line_ += c == '\n';
        field += c;
        continue;
      }
      if (here('"')) {
        field += '"';
        ++at_;
        continue;
      }
      if (!at_line_end() && text_[at_] != separator_) {
        return at_line(line_, "text stands behind the quote that closes a field.");
      }
      return {};
    }
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text, std::size_t most_rows) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(text).rows(most_rows);
}

void append_csv(std::string& out, std::string_view field) {
  if (field.find_first_of("\",;\t\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace causeway::faq

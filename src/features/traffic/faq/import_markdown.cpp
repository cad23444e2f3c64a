#include <algorithm>
#include <optional>

#include "features/traffic/faq/import.h"
#include "features/traffic/faq/table.h"
#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::faq {
namespace {

constexpr std::string_view kOpen = "<!--", kClose = "-->";

std::string_view without_quotes(std::string_view value) {
  const bool quoted =
      value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0];
  return quoted ? value.substr(1, value.size() - 2) : value;
}

// A heading's text at the level asked for; nullopt = the line is none of it.
std::optional<std::string_view> heading(std::string_view line, std::size_t level) {
  const std::string_view marks = "######";
  if (!line.starts_with(marks.substr(0, level))) return std::nullopt;
  line.remove_prefix(level);
  if (!line.empty() && line[0] != ' ' && line[0] != '\t') return std::nullopt;
  line = text::trim(line);
  const auto end = line.find_last_not_of('#');
  // Closing marks, which a space sets apart: "C#" keeps its own.
  if (end == std::string_view::npos) return std::string_view();
  if (end + 1 < line.size() && (line[end] == ' ' || line[end] == '\t')) {
    line = text::trim(line.substr(0, end));
  }
  return line;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  ImportFile run() {
    if (!text::utf8_valid(text_)) {
      tell("the file is not UTF-8.");
      return std::move(file_);
    }
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
    std::string_view line;
    if (text_.starts_with("---\n") || text_.starts_with("---\r\n")) front_matter();
    while (next(line)) {
      note_fence(line);
      if (!fence_ && heading(line, 2)) {
        begin(*heading(line, 2));
      } else if (!fence_ && heading(line, 1)) {
        end();
      } else {
        take(line);
      }
    }
    end();
    if (file_.entries.empty() && file_.problems.empty()) {
      tell("there is no question: a question is a heading of the second level, \"## …\".");
    }
    return std::move(file_);
  }

 private:
  void tell(std::string_view what, std::optional<std::size_t> line = {}) {
    const std::size_t at = line.value_or(std::max<std::size_t>(line_, 1));
    if (file_.problems.size() == ImportFile::kMostProblems) return;
    file_.problems.push_back({at, "Line " + std::to_string(at) + ": " + std::string(what)});
  }

  bool next(std::string_view& line) {
    if (text_.empty()) return false;
    const auto end = std::min(text_.find('\n'), text_.size());
    line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++line_;
    return true;
  }

  void front_matter() {
    std::string_view line;
    (void)next(line);
    while (next(line)) {
      if (line == "---") return;
      const auto content = text::trim(line);
      if (content.empty() || content.starts_with('#')) continue;
      setting(content, common_, true);
    }
    tell("the front matter that begins here is not ended by \"---\".", 1);
  }

  // "name: value"; false: it is not of this form.
  bool setting(std::string_view content, Imported& entry, bool must) {
    const auto colon = content.find(':');
    const auto name = text::trim(content.substr(0, std::min(colon, content.size())));
    const bool is_word =
        colon != std::string_view::npos && !name.empty() &&
        std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (!is_word) {
      if (must) tell("is not of the form \"name: value\".");
      return false;
    }
    const bool of_all = &entry == &common_;
    if (of_all && name == "title") return true;
    if (of_all && (name == "id" || name == "also")) {
      tell("\"" + std::string(name) + "\" belongs to one question.");
      return true;
    }
    const auto set = set_member(entry, name, without_quotes(text::trim(content.substr(colon + 1))));
    if (!set) {
      tell(set.error().message);
    } else if (!*set || name == "wordings") {
      tell("there is no setting \"" + std::string(name.substr(0, 50)) +
           "\"; they are also, language, valid_from, valid_until, tenant, models, enabled and id.");
    }
    return true;
  }

  // In a fence of code a line that looks like a heading is none.
  void note_fence(std::string_view line) {
    const auto begin = std::min(line.find_first_not_of(' '), line.size());
    if (begin > 3) return;
    line.remove_prefix(begin);
    const char mark = line.empty() ? '\0' : line[0];
    if (mark != '`' && mark != '~') return;
    const auto length = std::min(line.find_first_not_of(mark), line.size());
    if (length < 3) return;
    if (!fence_) {
      // Backticks behind it make it code within a line.
      if (mark == '~' || line.find('`', length) == std::string_view::npos) {
        fence_ = {mark, length, line_};
      }
    } else if (mark == fence_->mark && length >= fence_->length &&
               text::trim(line.substr(length)).empty()) {
      fence_.reset();
    }
  }

  void begin(std::string_view question) {
    end();
    current_ = common_;
    current_->line = line_;
    current_->draft.questions.emplace_back(question);
    if (question.empty()) tell("the heading has no question.");
  }

  void take(std::string_view line) {
    if (current_ && !current_->draft.answer.empty()) {
      current_->draft.answer.append("\n").append(line);
      return;
    }
    const auto content = text::trim(line);
    if (content.empty()) return;
    if (content.starts_with(kOpen)) {
      const auto end = content.find(kClose);
      if (end == std::string_view::npos || end + kClose.size() != content.size()) {
        tell("a comment in front of an answer stands on a line of its own, with its end.");
        return;
      }
      const auto inside = text::trim(content.substr(kOpen.size(), end - kOpen.size()));
      (void)setting(inside, current_ ? *current_ : common_, false);
      return;
    }
    if (current_) current_->draft.answer = line;
  }

  void end() {
    if (fence_ && current_) tell("the code that begins here is not ended.", fence_->line);
    fence_.reset();
    if (!current_) return;
    Imported entry = std::move(*current_);
    current_.reset();
    const auto wrongs = mistakes(entry.draft);
    for (const Error& one : wrongs) tell(one.message, entry.line);
    if (!wrongs.empty()) return;
    if (file_.entries.size() == FaqTable::kMostEntries) {
      tell("there are more questions than can be kept.", entry.line);
    } else {
      file_.entries.push_back(std::move(entry));
    }
  }

  struct Fence {
    char mark;
    std::size_t length, line;
  };

  std::string_view text_;
  std::size_t line_ = 0;
  ImportFile file_;
  Imported common_;
  std::optional<Imported> current_;
  std::optional<Fence> fence_;
};

}  // namespace

ImportFile import_markdown(std::string_view text) { return Reader(text).run(); }

Result<std::string> export_markdown(std::span<const Entry> entries) {
  std::string out;
  const auto comment = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append("<!-- ").append(name).append(": ").append(value).append(" -->\n");
  };
  for (const Entry& entry : entries) {
    const std::size_t begin = out.size();
    out.append("## ").append(entry.questions.front()).append("\n\n");
    comment("id", entry.id);
    for (std::size_t i = 1; i < entry.questions.size(); ++i) comment("also", entry.questions[i]);
    comment("language", entry.language);
    if (entry.valid_from) comment("valid_from", time_text(*entry.valid_from, false));
    if (entry.valid_until) comment("valid_until", time_text(*entry.valid_until, true));
    comment("tenant", entry.tenant);
    std::string models;
    for (const auto& model : entry.models) models.append(models.empty() ? "" : ", ").append(model);
    comment("models", models);
    if (!entry.enabled) comment("enabled", "false");
    out.append("\n").append(entry.answer).append("\n\n");
    const auto back = import_markdown(std::string_view(out).substr(begin));
    const Draft& draft = entry;
    if (!back.problems.empty() || back.entries.size() != 1 ||
        !(back.entries.front().draft == draft)) {
      return fail(ErrorKind::InvalidRequest, Origin::Client,
                  "The entry " + entry.id +
                      " has lines that would not be read back as they are; export it as CSV.",
                  "faq_export");
    }
  }
  return out;
}

}  // namespace causeway::faq

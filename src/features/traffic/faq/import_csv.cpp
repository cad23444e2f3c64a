#include <algorithm>
#include <utility>

#include "features/traffic/faq/csv.h"
#include "features/traffic/faq/import.h"
#include "features/traffic/faq/table.h"
#include "platform/text/ascii.h"

namespace causeway::faq {
namespace {

std::unexpected<Error> wrong(std::string_view name, std::string_view why) {
  return fail(ErrorKind::InvalidRequest, Origin::Client,
              "\"" + std::string(name) + "\" " + std::string(why), "faq_import");
}

void add_lines(std::vector<std::string>& out, std::string_view text, std::string_view separators) {
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const auto one = text::trim(text.substr(0, end));
    if (!one.empty()) out.emplace_back(one);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string joined(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

Result<bool> set_enabled(Draft& draft, std::string_view value) {
  const std::string word = text::to_lower(value);
  const auto is = [&](auto... words) { return ((word == words) || ...); };
  if (is("true", "yes", "1", "ja", "wahr", "")) {
    draft.enabled = true;
  } else if (is("false", "no", "0", "nein", "falsch")) {
    draft.enabled = false;
  } else {
    return wrong("enabled", "is neither true nor false.");
  }
  return true;
}

}  // namespace

Result<bool> set_member(Imported& entry, std::string_view name, std::string_view value) {
  Draft& draft = entry.draft;
  value = text::trim(value);
  if (name == "id") {
    entry.id = value;
  } else if (name == "also" || name == "wordings") {
    add_lines(draft.questions, value, "\n");
  } else if (name == "language") {
    draft.language = value;
  } else if (name == "tenant") {
    draft.tenant = value;
  } else if (name == "models") {
    draft.models.clear();
    add_lines(draft.models, value, ",; \n\t");
  } else if (name == "enabled") {
    return set_enabled(draft, value);
  } else if (name == "valid_from" || name == "valid_until") {
    const bool end = name == "valid_until";
    auto& time = end ? draft.valid_until : draft.valid_from;
    time = parse_time(value, end);
    if (!time && !value.empty()) {
      return wrong(name, "is not a time like 2026-12-31, 31.12.2026 or 2026-12-31T18:00:00Z.");
    }
  } else {
    return false;
  }
  return true;
}

namespace {

// The names of the head line; a problem where it is none.
std::vector<std::string> read_head(const CsvRow& row, ImportFile& file) {
  std::vector<std::string> names;
  const auto tell = [&](const std::string& what) {
    if (file.problems.size() == ImportFile::kMostProblems) return;
    file.problems.push_back({row.line, "Line " + std::to_string(row.line) + ": " + what});
  };
  for (const auto& field : row.fields) {
    std::string name = text::to_lower(text::trim(field));
    Imported nobody;
    const auto known = set_member(nobody, name, "");
    if (name != "question" && name != "answer" && known && !*known) {
      tell("there is no column \"" + name.substr(0, 50) +
           "\"; the columns are question, answer, wordings, language, valid_from, valid_until, "
           "tenant, models, enabled and id.");
    }
    if (std::ranges::find(names, name) != names.end()) {
      tell("the column \"" + name.substr(0, 50) + "\" stands there twice.");
    }
    names.push_back(std::move(name));
  }
  for (const char* needed : {"question", "answer"}) {
    if (std::ranges::find(names, needed) == names.end()) {
      tell("the column \"" + std::string(needed) + "\" is missing.");
    }
  }
  return names;
}

// All that is wrong with a row, each once.
std::vector<std::string> read_row(const CsvRow& row, const std::vector<std::string>& names,
                                  Imported& entry) {
  std::vector<std::string> wrongs;
  const auto tell = [&wrongs](std::string what) {
    if (std::ranges::find(wrongs, what) == wrongs.end()) wrongs.push_back(std::move(what));
  };
  if (row.fields.size() != names.size()) {
    tell("has " + std::to_string(row.fields.size()) + " fields, the head line " +
         std::to_string(names.size()) + ".");
    return wrongs;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "question") {
      entry.draft.questions.insert(entry.draft.questions.begin(), row.fields[i]);
    } else if (names[i] == "answer") {
      entry.draft.answer = row.fields[i];
    } else if (auto set = set_member(entry, names[i], row.fields[i]); !set) {
      tell(set.error().message);
    }
  }
  if (text::trim(entry.draft.questions.front()).empty()) {
    tell(wrong("question", "is missing.").error().message);
  }
  for (const Error& one : mistakes(entry.draft)) tell(one.message);
  return wrongs;
}

}  // namespace

ImportFile import_csv(std::string_view text) {
  ImportFile file;
  auto rows = read_csv(text, FaqTable::kMostEntries + 1);
  if (!rows) {
    file.problems.push_back({1, std::move(rows.error().message)});
    return file;
  }
  if (rows->empty()) {
    file.problems.push_back({1, "Line 1: the file is empty; its first line names the columns."});
    return file;
  }
  const auto names = read_head(rows->front(), file);
  if (!file.problems.empty()) return file;
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const CsvRow& row = (*rows)[i];
    Imported entry{row.line, {}, {}};
    const auto wrongs = read_row(row, names, entry);
    if (wrongs.empty()) file.entries.push_back(std::move(entry));
    for (const std::string& what : wrongs) {
      if (file.problems.size() == ImportFile::kMostProblems) break;
      file.problems.push_back({row.line, "Line " + std::to_string(row.line) + ": " + what});
    }
  }
  return file;
}

std::string export_csv(std::span<const Entry> entries) {
  std::string out =
      "id,question,answer,wordings,language,valid_from,valid_until,tenant,models,enabled\r\n";
  for (const Entry& entry : entries) {
    const std::span<const std::string> questions(entry.questions);
    const std::string fields[] = {entry.id,
                                  questions.front(),
                                  entry.answer,
                                  joined(questions.subspan(1), "\n"),
                                  entry.language,
                                  entry.valid_from ? time_text(*entry.valid_from, false) : "",
                                  entry.valid_until ? time_text(*entry.valid_until, true) : "",
                                  entry.tenant,
                                  joined(entry.models, " "),
                                  entry.enabled ? "true" : "false"};
    bool first = true;
    for (const auto& field : fields) {
      if (!std::exchange(first, false)) out += ',';
      append_csv(out, field);
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace causeway::faq

// Looking models up in the text of the catalogue. It is asked when a configuration is built, a few
// times, so the text itself is searched and nothing is kept in memory.
#include <algorithm>
#include <charconv>
#include <vector>

#include "features/insight/ledger/catalogue_data.h"
#include "features/insight/ledger/prices.h"

namespace causeway::ledger {
namespace {

struct Catalogue {
  std::string_view source;                // the comment lines
  std::vector<std::string_view> columns;  // after '#'
  std::string_view body;
};

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const auto end = line.find('\t');
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

Catalogue parts() {
  Catalogue out;
  std::string_view text = catalogue_text();
  const std::string_view all = text;
  while (text.starts_with('#')) {
    const auto end = text.find('\n');
    out.columns = split(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
  }
  out.source = all.substr(0, all.size() - text.size());
  out.body = text;
  return out;
}

std::string_view key_of(std::string_view line) {
  return line.substr(0, line.find('\t', line.find('\t') + 1));
}

// The first line whose key is not before `key`; to the end of the text.
std::string_view lower_bound(std::string_view body, std::string_view key) {
  std::size_t low = 0;
  std::size_t high = body.size();
  while (low < high) {  // both at a line's begin
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t before = body.rfind('\n', middle == 0 ? 0 : middle - 1);
    const std::size_t begin = before == std::string_view::npos || before < low ? low : before + 1;
    const std::size_t end = body.find('\n', begin);
    if (key_of(body.substr(begin, end - begin)) < key) {
      low = end + 1;
    } else {
      high = begin;
    }
  }
  return body.substr(low);
}

std::optional<std::int64_t> number(std::string_view cell) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

CatalogueEntry entry_from(const Catalogue& catalogue, std::string_view line) {
  const auto cells = split(line.substr(0, line.find('\n')));
  const auto cell = [&](std::string_view column) -> std::string_view {
    const auto at = std::ranges::find(catalogue.columns, column) - catalogue.columns.begin();
    return static_cast<std::size_t>(at) < cells.size() ? cells[static_cast<std::size_t>(at)]
                                                       : std::string_view();
  };
  const auto rates = [&](const std::string& prefix) {
    return TokenPrices{number(cell(prefix + "input")), number(cell(prefix + "output")),
                       number(cell(prefix + "cache_read")), number(cell(prefix + "cache_write"))};
  };
  CatalogueEntry entry;
  entry.name = cell("model");
  entry.price.tiers = {rates(""), rates("batch_"), rates("flex_"), rates("priority_")};
  entry.price.reasoning = number(cell("reasoning"));
  entry.price.audio_in = number(cell("audio_in"));
  entry.price.audio_out = number(cell("audio_out"));
  entry.price.long_above = number(cell("long_above"));
  entry.price.long_context = rates("long_");
  entry.context = number(cell("context")).value_or(0);
  entry.max_output = number(cell("max_output")).value_or(0);
  entry.mode = cell("mode");
  entry.abilities = cell("abilities");
  entry.deprecated = cell("deprecated");
  return entry;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

// Length of "-2024-08-06", "-20241022" or "@20241022" at the end of a name, 0 for none.
std::size_t date_suffix(std::string_view name) {
  for (const std::string_view form : {"-dddd-dd-dd", "-dddddddd", "@dddddddd"}) {
    if (name.size() <= form.size()) continue;
    const auto tail = name.substr(name.size() - form.size());
    const bool fits =
        std::ranges::equal(tail, form, [](char c, char f) { return f == 'd' ? digit(c) : c == f; });
    if (fits && tail.substr(1, 2) == "20") return form.size();
  }
  return 0;
}

// Ways of writing the same model, the closest first.
std::vector<std::string> spellings(std::string_view model) {
  std::vector<std::string> out = {std::string(model)};
  std::string lower(model);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  out.push_back(lower);
  std::string_view name = lower;
  if (name.starts_with("ft:")) {  // "ft:base:organisation:suffix:id"
    out.emplace_back(name.substr(0, name.find(':', 3)));
    return out;
  }
  for (const std::string_view prefix :
       {"models/", "publishers/google/models/", "publishers/anthropic/models/", "us.", "eu.",
        "apac.", "global.", "us-gov."}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  out.emplace_back(name);
  if (name.ends_with("-latest")) out.emplace_back(name.substr(0, name.size() - 7));
  if (const auto date = date_suffix(name)) out.emplace_back(name.substr(0, name.size() - date));
  return out;
}

}  // namespace

std::string_view catalogue_source() { return parts().source; }

std::optional<CatalogueEntry> find_in_catalogue(std::string_view provider, std::string_view model) {
  if (provider.empty() || model.empty()) return std::nullopt;
  const Catalogue catalogue = parts();
  const std::string prefix = std::string(provider) + '\t';
  const auto names = spellings(model);
  for (const std::string& name : names) {
    const std::string key = prefix + name;
    const auto line = lower_bound(catalogue.body, key);
    if (key_of(line) == key) return entry_from(catalogue, line);
  }
  // A name without a date means the newest of those with one.
  std::string_view found;
  for (const std::string& name : names) {
    const std::string key = prefix + name;
    auto rest = lower_bound(catalogue.body, key);
    while (rest.starts_with(key)) {
      const auto candidate = key_of(rest);
      const auto date = date_suffix(candidate);
      if (date > 0 && candidate.size() == key.size() + date) found = rest;
      rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    if (!found.empty()) return entry_from(catalogue, found);
  }
  return std::nullopt;
}

}  // namespace causeway::ledger

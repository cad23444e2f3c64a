#include "app/importer/draft.h"

#include <algorithm>
#include <cmath>

#include "platform/config/values.h"
#include "platform/text/ascii.h"
#include "platform/text/number.h"
#include "platform/text/utf8.h"

namespace causeway::app::importer {
namespace {

constexpr std::size_t kMostModelName = 96;  // bytes of a name under `models`
constexpr std::size_t kMostPolicies = 60;   // of 64, which leaves room for one's own
constexpr std::size_t kMostRemarks = 1000;
constexpr std::string_view kSecretWords[] = {"auth",   "key",    "token",
                                             "secret", "cookie", "password"};

void longer(std::optional<Millis>& wait, const std::optional<Millis>& other) {
  if (other && (!wait || *other > *wait)) wait = other;
}

}  // namespace

void Draft::remark_known(const Value& table, const std::string& path,
                         std::span<const KnownRemark> known) {
  for (const auto& [name, text] : known) remark_member(table, path, name, std::string(text));
}

void Draft::remark_member(const Value& table, const std::string& path, std::string_view name,
                          const std::string& text) {
  const Value* value = table.find(name);
  if (!value) return;
  value->see();
  out.remark(value->at.line, path.empty() ? std::string(name) : path + "." + std::string(name),
             text);
}

std::string Draft::address(const Value& value, const std::string& about) {
  value.see();
  const Scalar setting = setting_from(value.text);
  std::string url = without_user(setting.text);
  if (url != setting.text) {
    out.remark(value.at.line, about,
               "user and password in the address were not copied; send them as a header "
               "(`headers`) from an environment variable");
  }
  const auto end = url.find_first_of("?#");
  if (end != url.npos) {
    url.resize(end);
    out.remark(value.at.line, about, "what follows `?` in the address was not copied");
  }
  return url;
}

void Draft::add_header(ImportedProvider& provider, const Member& header, const std::string& about) {
  if (!header.value.is_scalar()) return;
  const std::string name = text::to_lower(header.name);
  const bool secret = std::ranges::any_of(
      kSecretWords, [&](std::string_view word) { return name.find(word) != std::string::npos; });
  header.value.see();
  provider.headers.push_back(
      {header.name, secret ? secrets.take(header.value, about + "." + printable(header.name, 40),
                                          variable_for(header.name, ""))
                           : setting_from(header.value.text)});
}

ImportedModel* Draft::find_model(const std::string& name) {
  const auto renamed = renamed_.find(name);
  const std::string& here = renamed == renamed_.end() ? name : renamed->second;
  const auto found = std::ranges::find(out.models, here, &ImportedModel::name);
  return found == out.models.end() ? nullptr : &*found;
}

std::string Draft::fitting_name(const std::string& name, std::uint32_t line) {
  if (!name.empty() && name.size() <= kMostModelName) return name;
  std::string fitting(text::utf8_cut(name, kMostModelName));
  if (fitting.empty()) fitting = "default";
  for (int i = 2; find_model(fitting); ++i) {
    const std::string end = "-" + std::to_string(i);
    fitting = std::string(text::utf8_cut(name, kMostModelName - end.size())) + end;
  }
  renamed_.emplace(name, fitting);
  out.remark(line, "\"" + printable(name, 60) + "\"",
             "a model's name has 1 to 96 characters here; it is called \"" +
                 printable(fitting, 100) + "\" now, and applications must ask for that");
  return fitting;
}

ImportedModel& Draft::model(const std::string& name, std::uint32_t line) {
  if (ImportedModel* there = find_model(name)) return *there;
  out.models.push_back({.name = fitting_name(name, line), .line = line});
  return out.models.back();
}

Draft::Limits& Draft::limits_of(const std::string& model) {
  const auto found = std::ranges::find(limits_, model, &Limits::model);
  if (found != limits_.end()) return *found;
  return limits_.emplace_back(Limits{model, {}, {}});
}

void Draft::limit_model(const std::string& name, const Waits& waits, std::optional<int> retries) {
  if (waits.empty() && !retries) return;
  Limits& limits = limits_of(name);
  longer(limits.waits.first_byte, waits.first_byte);
  longer(limits.waits.total, waits.total);
  if (retries) limits.retries = std::max(limits.retries.value_or(0), *retries);
}

void Draft::ask_next_when_filtered(const std::string& name) {
  limits_of(name).next_when_filtered = true;
}

void Draft::limit_alike(const std::string& name, const std::string& other) {
  const auto found = std::ranges::find(limits_, other, &Limits::model);
  if (found == limits_.end()) return;
  const Limits same = *found;
  limit_model(name, same.waits, same.retries);
  if (same.next_when_filtered) ask_next_when_filtered(name);
}

void Draft::rest_after(std::optional<double> failures, std::optional<Millis> rest) {
  std::string text;
  if (failures) {
    text = "failures: " + std::to_string(static_cast<int>(std::clamp(*failures, 1.0, 1000.0)));
  }
  if (rest) {
    const Millis fitting = std::clamp(*rest, Millis(10), Millis(3'600'000));
    text += (text.empty() ? "" : ", ") + ("rest: " + config::print_duration(fitting));
    if (fitting > Millis(60'000)) text += ", longest_rest: " + config::print_duration(fitting);
  }
  if (!text.empty()) out.breaker = "{ " + text + " }";
}

// Models with the same settings share a policy. In a section that a policy has, nothing is taken
// from the policies below: what is the same for everyone is said again.
void Draft::make_policies() {
  std::vector<ImportedPolicy> made;
  for (Limits& limits : limits_) {
    const ImportedModel* model = find_model(limits.model);
    if (!model) continue;
    if (limits.next_when_filtered && !limits.retries) limits.retries = everyone.retries;
    Waits waits = limits.waits;
    if (!waits.empty()) {
      if (!waits.total) waits.total = everyone.waits.total;
      if (!waits.first_byte) waits.first_byte = waits.total;
    }
    const auto same = std::ranges::find_if(made, [&](const ImportedPolicy& policy) {
      return policy.waits == waits && policy.retries == limits.retries &&
             policy.next_when_filtered == limits.next_when_filtered;
    });
    if (same != made.end()) {
      same->models.push_back(model->name);
    } else if (made.size() == kMostPolicies) {
      out.remark(0, printable(limits.model),
                 "no policy for its timeouts: there are 64 at most, and the file asks for more");
    } else {
      made.push_back({.name = "limits of " + model->name,
                      .models = {model->name},
                      .waits = waits,
                      .retries = limits.retries,
                      .next_when_filtered = limits.next_when_filtered});
    }
  }
  if (everyone.waits.total && !everyone.waits.first_byte) {
    everyone.waits.first_byte = everyone.waits.total;
  }
  if (!everyone.empty()) made.push_back(everyone);
  out.policies.insert(out.policies.end(), made.begin(), made.end());
}

void Draft::drop_empty_models() {
  std::erase_if(out.models, [&](const ImportedModel& model) {
    if (!model.targets.empty()) return false;
    out.remark(model.line, printable(model.name, 60),
               "left out: none of its targets could be carried over");
    return true;
  });
}

// Where only the first target has a share, the others are fallbacks and nothing else.
void Draft::simplify_shares() {
  for (auto& model : out.models) {
    const auto none = [](const auto& target) { return target.weight == 0; };
    const bool first_only = model.strategy == "weighted" && model.targets.front().weight > 0 &&
                            std::all_of(model.targets.begin() + 1, model.targets.end(), none);
    if (first_only) model.strategy = "fallback";
  }
}

Imported Draft::finish(const Value& root) {
  drop_empty_models();
  simplify_shares();
  make_policies();
  for_each_unseen(root, [&](const std::string& path, const Value& value) {
    out.remark(value.at.line, printable(path), "not known to this importer; look what it did");
  });
  std::ranges::stable_sort(out.remarks, {}, &Remark::line);
  if (out.remarks.size() > kMostRemarks) {
    const auto more = out.remarks.size() - kMostRemarks;
    out.remarks.resize(kMostRemarks);
    out.remark(0, "…", "and " + std::to_string(more) + " more");
  }
  return std::move(out);
}

Millis wait_of(double milliseconds) {
  return Millis(static_cast<std::int64_t>(std::clamp(milliseconds, 1.0, 86'400'000.0)));
}

int retries_of(double number) { return static_cast<int>(std::clamp(number, 0.0, 10.0)); }

std::string per_million(double per_token) {
  std::string text;
  const double micros = std::clamp(per_token * 1e12, 0.0, 1e15);
  text::append_money(text, static_cast<std::int64_t>(std::llround(micros)));
  return text;
}

}  // namespace causeway::app::importer

// What the readers of all formats share while they work: the result so far, its providers and
// secrets, and settings that come together from several places of the source.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/importer/imported.h"
#include "app/importer/provider_book.h"
#include "app/importer/secrets.h"
#include "app/importer/source.h"

namespace causeway::app::importer {

/// A member of the source that is known, and what is said of it.
using KnownRemark = std::pair<std::string_view, std::string_view>;

struct Draft {
  explicit Draft(const Value& root) : providers(out), secrets(root, out) {}

  Imported out;
  ProviderBook providers;
  Secrets secrets;
  ImportedPolicy everyone{.name = "everyone"};

  /// A remark for each member of `table` that is named in `known`.
  void remark_known(const Value& table, const std::string& path,
                    std::span<const KnownRemark> known);
  /// The same for one member, if it is there.
  void remark_member(const Value& table, const std::string& path, std::string_view name,
                     const std::string& text);

  /// The address in `value`, as base_url: without user, password and query, which are remarked.
  std::string address(const Value& value, const std::string& about);
  /// A header of every request; its value counts as a secret where its name says so.
  void add_header(ImportedProvider& provider, const Member& header, const std::string& about);
  /// The model of that name, made where it is not there yet. A name that Causeway cannot have is
  /// cut and remarked.
  ImportedModel& model(const std::string& name, std::uint32_t line);
  /// By the name that the source has for it; null: there is none.
  ImportedModel* find_model(const std::string& name);

  /// Waits and retries of one model; of two the longer, the higher.
  void limit_model(const std::string& name, const Waits& waits, std::optional<int> retries);

  /// Where one of its targets refuses the content, the next is asked.
  void ask_next_when_filtered(const std::string& name);
  /// The same for another name of it.
  void limit_alike(const std::string& name, const std::string& other);

  /// So many failures in a row, and a target rests for so long.
  void rest_after(std::optional<double> failures, std::optional<Millis> rest);

  /// Builds the policies, remarks what nobody has seen, and gives the result.
  Imported finish(const Value& root);

 private:
  struct Limits {
    std::string model;
    Waits waits;
    std::optional<int> retries;
    bool next_when_filtered = false;
  };
  Limits& limits_of(const std::string& model);
  void make_policies();
  void drop_empty_models();
  void simplify_shares();
  std::string fitting_name(const std::string& name, std::uint32_t line);

  std::map<std::string, std::string> renamed_;  // name of the source → name here
  std::vector<Limits> limits_;
};

/// What Causeway allows for a wait (1ms to 1d), nearest to so many milliseconds.
Millis wait_of(double milliseconds);
/// Further tries at a target, as many as Causeway allows: 0 to 10.
int retries_of(double number);
/// "0.15" of 0.00000015 for a token: what a million of them cost.
std::string per_million(double per_token);

}  // namespace causeway::app::importer

#include "features/privacy/pii/config.h"

#include <algorithm>

#include "features/privacy/pii/chars.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kMaxName = 32;
constexpr std::string_view kOwn = "own.";

std::string upper_name(std::string_view name) {
  std::string upper;
  for (const char c : name) upper += is_letter(c) ? to_upper(c) : '_';
  return upper;
}

// Empty where the rule's name makes none.
std::string own_name(std::string_view rule) {
  std::string name = upper_name(rule).substr(0, kMaxName);
  return is_upper(name.back()) ? name : std::string();
}

// Digits are for the numbers behind names.
std::string check_stand_in(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kMaxName && is_upper(name.front()) &&
                    is_upper(name.back()) &&
                    std::ranges::all_of(name, [](char c) { return is_upper(c) || c == '_'; });
  return good ? "" : "must be capital letters and \"_\", at most 32: PATIENT_NAME";
}

std::string check_kind(const std::string& name) {
  return kind_named(name) ? "" : "is no kind of personal data; docs/pii-types.md lists them";
}

void read_own_rules(const Settings& settings, DetectorOptions& options) {
  for (const auto& entry : settings.words) {
    for (const std::string& word : entry.value) options.words.push_back({entry.name, word});
  }
  for (const auto& entry : settings.patterns) options.patterns.push_back({entry.name, entry.value});
}

}  // namespace

std::string_view name_of(Action action) {
  static constexpr std::array<std::string_view, kActions> kNames = {"off",       "report", "mask",
                                                                    "pseudonym", "hash",   "block"};
  return kNames[static_cast<std::size_t>(action)];
}

config::Names<Action> names_of(Action) {
  config::Names<Action> names;
  for (std::size_t i = 0; i < kActions; ++i) {
    const auto action = static_cast<Action>(i);
    names.emplace_back(name_of(action), action);
  }
  return names;
}

void describe(config::Fields& f, Settings& c) {
  f.word("off", c.action, Action::Off, "Nothing is looked for.");
  f.word("report", c.action, Action::Report, "Findings are counted, nothing is changed.");
  f.word("mask", c.action, Action::Mask, "Each finding becomes [KIND] or [KIND_2].");
  f.word("pseudonym", c.action, Action::Pseudonym, "Each finding becomes another of its shape.");
  f.word("hash", c.action, Action::Hash, "Each finding becomes [KIND:hash], for good.");
  f.word("block", c.action, Action::Block, "A request with a finding is refused.");
  f.field("action", c.action,
          "What is done with each finding before a request goes out: `off`, `report` (counted "
          "only), `mask` ([EMAIL_2]), `pseudonym` (another of the same shape), `hash` "
          "([EMAIL:4f0c1d2e3a4b5c6d], the same everywhere, never restored), `block` (refused).");
  f.field("kinds", c.kinds,
          "The same for single kinds: `card: block`. docs/pii-types.md lists them.")
      .names(check_kind);
  f.field("names", c.names, "How stand-ins of a kind are called: `person: PATIENT_NAME`.")
      .names(check_kind)
      .check(check_stand_in, "^[A-Z]([A-Z_]*[A-Z])?$");
  f.field("restore", c.restore,
          "Whether the caller gets the real words back in the answer, where stand-ins are in it.");
  f.field("restore_in_urls", c.restore_in_urls,
          "Whether inside of URLs as well. A page that shows the answer loads the images in it: a "
          "model that was talked into writing a URL with a stand-in would send the real words to "
          "that server.");
  f.field("targets", c.targets,
          "Which targets get the treated request: `external` (zone: external), or `all`.");
  f.field("unread", c.unread,
          "What no detector reads (images, sounds, files, token ids): the request is refused, such "
          "parts are taken out (`strip`), or they pass.");
  f.field("model", c.model,
          "`names`: persons and addresses are looked for by a small model of language as well, on "
          "the CPU. A request that it could not look at is refused.");
  f.field("min_confidence", c.min_confidence, "Findings below it do not count.").range(0.0, 1.0);
  f.field("regions", c.regions,
          "Countries (ISO 3166) whose phone numbers are known without \"+\" and country code.");
  f.field("words", c.words,
          "Own words by the name of their stand-in: `project: [Bluebird]` gives [PROJECT].");
  f.field("patterns", c.patterns, "Own patterns (RE2), likewise: `ticket: \"TCK-\\\\d{6}\"`.");
  f.check<Settings>(c, [](const Settings& s, config::Position at, config::Problems& problems) {
    auto made = make_treatment(s);
    if (!made) return problems.add(at, "pii: " + made.error().message);
    s.treatment = std::move(*made);
  });
}

Result<std::shared_ptr<const Treatment>> make_treatment(const Settings& settings) {
  auto treatment = std::make_shared<Treatment>();
  treatment->actions.fill(settings.action);
  for (std::size_t i = 0; i < kKinds; ++i) {
    treatment->names[i] = upper_name(pii::name_of(static_cast<Kind>(i)));
  }
  const auto place = [](const std::string& kind) {
    return static_cast<std::size_t>(*kind_named(kind));
  };
  for (const auto& entry : settings.kinds) treatment->actions[place(entry.name)] = entry.value;
  for (const auto& entry : settings.names) treatment->names[place(entry.name)] = entry.value;
  DetectorOptions options;
  options.kinds = KindSet::none();
  options.min_confidence = static_cast<float>(settings.min_confidence);
  options.regions = settings.regions;
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (treatment->actions[i] != Action::Off) options.kinds.add(static_cast<Kind>(i));
  }
  if (options.kinds == KindSet::none()) return std::shared_ptr<const Treatment>();
  read_own_rules(settings, options);
  for (const auto& rules : {&options.words, &options.patterns}) {
    for (const OwnRule& rule : *rules) treatment->own_names.push_back(own_name(rule.name));
  }
  treatment->min_confidence = options.min_confidence;
  treatment->asks_model = settings.model == AlsoAsked::Names &&
                          (options.kinds.has(Kind::Person) || options.kinds.has(Kind::Address));
  auto detector = Detector::make(options);
  if (!detector) return pass(std::move(detector));
  treatment->detector = std::move(*detector);
  return treatment;
}

bool looks_for(const Settings& settings, Kind kind) {
  return settings.treatment &&
         settings.treatment->actions[static_cast<std::size_t>(kind)] != Action::Off;
}

std::string stand_in_name(const Treatment& treatment, const Finding& finding) {
  if (finding.kind == Kind::Custom && finding.rule.starts_with(kOwn)) {
    std::string name = own_name(finding.rule.substr(kOwn.size()));
    if (!name.empty()) return name;
  }
  return treatment.names[static_cast<std::size_t>(finding.kind)];
}

}  // namespace causeway::pii

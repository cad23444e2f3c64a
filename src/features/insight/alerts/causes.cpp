#include "features/insight/alerts/causes.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/error.h"
#include "features/insight/alerts/measure.h"
#include "features/insight/alerts/parts.h"

namespace causeway::alerts {
namespace {

constexpr std::size_t kMostValues = 3;
constexpr std::size_t kMostCauses = 8;
constexpr double kStandsOut = 0.1;    // share of the rise beyond the share of the traffic
constexpr double kSame = 0.03;        // differences below it say nothing
constexpr double kLeastValue = 0.25;  // where none stands out
constexpr double kEnough = 0.2;       // of the rise; a rest below it is not explained
constexpr double kFewRequests = 5;    // a mean of fewer is none

constexpr std::array kDimensions{Per::Provider, Per::Model, Per::Key};

std::string value_of(const Subject& subject, Per dimension) {
  if (dimension == Per::Provider) return subject.target.substr(0, subject.target.find('/'));
  return dimension == Per::Model ? subject.model : subject.key;
}

Counts total(const Rows& rows) {
  Counts sum;
  for (const Row& row : rows) sum.add(row.counts);
  return sum;
}

Rows with_value(const Rows& rows, Per dimension, const std::string& value) {
  Rows out;
  for (const Row& row : rows) {
    if (value_of(row.subject, dimension) == value) out.push_back(row);
  }
  return out;
}

/// What a row adds to the number, and in how many cases.
struct Amount {
  double sum = 0, cases = 0;
};

class Finder {
 public:
  explicit Finder(const Rise& rise) : rise_(rise), rest_(rise.now) {
    for (const Row& row : rise.before) {
      own_[row.subject] = amount(row.counts);
      add(of_target_[row.subject.target], own_[row.subject]);
      add(all_, own_[row.subject]);
    }
    for (const Row& row : rise.now) all_excess_ += std::max(0.0, excess(row));
  }

  std::vector<Cause> find() {
    if (!rise_.fixed.empty()) add_value(rise_.per, rise_.fixed, 1);
    for (std::size_t i = 0; i < kMostValues && is_worth_it(); ++i) {
      const auto best = standing_out();
      if (!best) break;
      explain(*best);
    }
    if (is_worth_it()) explain_rest();
    if (causes_.size() > kMostCauses) causes_.resize(kMostCauses);
    return std::move(causes_);
  }

 private:
  struct Value {
    Per dimension = Per::Provider;
    std::string name;
    double excess = 0, lift = 0;
  };

  static void add(Amount& to, const Amount& more) {
    to.sum += more.sum;
    to.cases += more.cases;
  }

  bool by_time() const {
    return rise_.rule.when == Metric::Spend || rise_.rule.when == Metric::FailedAuth;
  }
  bool is_latency() const {
    return rise_.rule.when == Metric::Latency || rise_.rule.when == Metric::FirstToken ||
           rise_.rule.when == Metric::Queue;
  }

  Amount amount(const Counts& counts) const {
    switch (rise_.rule.when) {
      case Metric::Latency:
        return {counts[kTotal], counts[kAnswered]};
      case Metric::FirstToken:
        return {counts[kFirst], counts[kStreams]};
      case Metric::Queue:
        return {counts[kQueue], counts[kAnswered]};
      case Metric::ProviderErrors:
        return {errors_of(rise_.rule, counts), counts[kAttempts]};
      case Metric::Spend:
        return {counts[kCost], counts[kRequests]};
      case Metric::FailedAuth: {
        const double refused =
            counts[kErrors + static_cast<std::size_t>(ErrorKind::Unauthenticated)];
        return {refused, refused};
      }
      default:
        return {errors_of(rise_.rule, counts), counts[kRequests]};
    }
  }

  // The mean of a case before: of the row itself, else of its target, else of all.
  double usual(const Subject& subject) const {
    const auto mean = [](const Amount& a) { return a.cases > 0 ? a.sum / a.cases : 0.0; };
    const auto own = own_.find(subject);
    if (own != own_.end() && own->second.cases >= kFewRequests) return mean(own->second);
    const auto target = of_target_.find(subject.target);
    if (target != of_target_.end() && target->second.cases >= kFewRequests) {
      return mean(target->second);
    }
    return mean(all_);
  }

  double excess(const Row& row) const {
    const Amount now = amount(row.counts);
    if (!by_time()) return now.sum - now.cases * usual(row.subject);
    const auto own = own_.find(row.subject);
    const double before = own != own_.end() ? own->second.sum : 0.0;
    return now.sum - before * rise_.now_time / std::max(rise_.before_time, 1e-9);
  }

  double left() const {
    double sum = 0;
    for (const Row& row : rest_) sum += std::max(0.0, excess(row));
    return sum;
  }
  bool is_worth_it() const {
    return all_excess_ > 0 && left() >= kEnough * all_excess_ && causes_.size() < kMostCauses;
  }

  std::vector<Value> values(Per dimension) const {
    std::map<std::string, Amount> found;  // excess, cases
    double all = 0, cases = 0;
    for (const Row& row : rest_) {
      Amount& one = found[value_of(row.subject, dimension)];
      const Amount more{std::max(0.0, excess(row)), amount(row.counts).cases};
      add(one, more);
      all += more.sum;
      cases += more.cases;
    }
    std::vector<Value> out;
    for (const auto& [name, one] : found) {
      const double traffic = cases > 0 ? one.cases / cases : 0;
      const double share = all > 0 ? one.sum / all : 0;
      // What is paid or refused has no traffic to be measured against: it stands out by itself.
      const double lift =
          by_time() ? share - 1.0 / static_cast<double>(found.size()) : share - traffic;
      if (!name.empty()) out.push_back({dimension, name, one.sum, lift});
    }
    std::ranges::sort(out, std::greater(), &Value::excess);
    return out;
  }

  std::optional<Value> standing_out() const {
    std::optional<Value> best;
    for (const Per dimension : kDimensions) {
      if (!rise_.fixed.empty() && dimension == rise_.per) continue;
      for (const Value& value : values(dimension)) {
        if (value.lift < kStandsOut || (best && value.lift <= best->lift + kSame)) continue;
        best = value;
      }
    }
    return best;
  }

  void explain(const Value& value) {
    add_value(value.dimension, value.name, value.excess / all_excess_);
    const Rows rows = with_value(rest_, value.dimension, value.name);
    add_details(rows, with_value(rise_.before, value.dimension, value.name),
                value.dimension == Per::Provider ? value.name : provider_name(rows),
                value.excess / all_excess_);
    std::erase_if(rest_, [&](const Row& row) {
      return value_of(row.subject, value.dimension) == value.name;
    });
  }

  // Nothing stands out any more: what is left came alike everywhere. The providers (or, of what
  // reached none, the keys) are named all the same where the alert does not.
  void explain_rest() {
    const double share = left() / all_excess_;
    for (const Per dimension : {Per::Provider, Per::Key}) {
      if (!rise_.fixed.empty()) break;
      std::size_t named = 0;
      for (const Value& value : values(dimension)) {
        if (named == kMostValues || value.excess < kLeastValue * all_excess_) break;
        explain(value);
        ++named;
      }
      if (named > 0) return;
    }
    add_details(rest_, rise_.before, provider_name(rest_), share);
  }

  static std::string provider_name(const Rows& rows) {
    std::string name;
    for (const Row& row : rows) {
      const std::string one = value_of(row.subject, Per::Provider);
      if (!name.empty() && one != name) return "the provider";
      name = one;
    }
    return name.empty() ? "the provider" : name;
  }

  void add_value(Per dimension, const std::string& name, double share) {
    const bool address = name.starts_with(kAddress);
    const std::string kind = address                      ? "address"
                             : dimension == Per::Provider ? "provider"
                             : dimension == Per::Model    ? "model"
                                                          : "key";
    const std::string shown = address ? name.substr(kAddress.size()) : name;
    causes_.push_back({kind, shown, share, kind + " " + shown, advice_for(kind)});
  }

  std::string advice_for(std::string_view kind) const {
    if (rise_.rule.when == Metric::Spend && kind == "key") {
      return "causeway usage --by key,model shows what it is spent on; give the key fewer models.";
    }
    if (kind == "address")
      return "A key that was rotated or has expired, or somebody who tries keys.";
    return "";
  }

  void add_details(const Rows& now, const Rows& before, const std::string& who, double share) {
    if (is_latency()) {
      for (Cause& part : time_parts(total(now), total(before), who)) {
        part.share *= share;
        add_detail(std::move(part));
      }
      return;
    }
    const bool errors =
        rise_.rule.when == Metric::Errors || rise_.rule.when == Metric::ProviderErrors;
    if (errors) add_error_classes(total(now), share);
  }

  void add_detail(Cause detail) {
    const auto same = std::ranges::find_if(causes_, [&](const Cause& c) {
      return c.kind == detail.kind && c.name == detail.name && c.text == detail.text;
    });
    if (same == causes_.end()) {
      causes_.push_back(std::move(detail));
    } else {
      same->share += detail.share;
    }
  }

  void add_error_classes(const Counts& now, double share);

  const Rise& rise_;
  Rows rest_;
  std::map<Subject, Amount> own_;
  std::map<std::string, Amount> of_target_;
  Amount all_;
  double all_excess_ = 0;
  std::vector<Cause> causes_;
};

std::string_view advice_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::RateLimited:
      return "Spread over another target, or ask the provider for a higher limit.";
    case ErrorKind::QuotaExhausted:
      return "The account's money or long-term quota is used up: pay, or fail over.";
    case ErrorKind::Overloaded:
      return "Scale: more slots or replicas, or a second target.";
    case ErrorKind::ConnectFailed:
      return "Look at network, name service and certificate; fail over to another target.";
    case ErrorKind::Timeout:
      return "The provider is slow, or timeouts.first_byte too short; fail over.";
    case ErrorKind::Unauthenticated:
      return "Keys that were rotated or have expired, or somebody who tries keys.";
    case ErrorKind::Internal:
      return "A fault of Causeway's own: the log has it; please report it.";
    default:
      return "Look at the provider's status page; fail over to another target.";
  }
}

void Finder::add_error_classes(const Counts& now, double share) {
  const double all = errors_of(rise_.rule, now);
  std::vector<std::pair<double, std::size_t>> kinds;
  for (std::size_t kind = 0; kind < kErrorKinds; ++kind) {
    const double errors = errors_of_kind(rise_.rule, now, kind);
    if (errors > 0 && errors >= kLeastValue * all) kinds.emplace_back(errors, kind);
  }
  std::ranges::sort(kinds, std::greater());
  for (const auto& [errors, kind] : kinds) {
    const auto named = static_cast<ErrorKind>(kind);
    const std::string label(error_class(named).label);
    add_detail({"error_class", label, share * errors / all,
                said_number(errors) + " errors of class " + label, std::string(advice_of(named))});
  }
}

}  // namespace

std::vector<Cause> find_causes(const Rise& rise) { return Finder(rise).find(); }

}  // namespace causeway::alerts

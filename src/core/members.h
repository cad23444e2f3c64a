// The ways to reach one provider: each of its replicas with each of its API keys is a Provider of
// its own, so that no kind of provider knows that there are others.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/provider.h"
#include "core/target.h"

namespace causeway {

struct Member {
  std::string name;  // "10.0.0.7:8000", "key-2"; empty where the provider has but one
  std::unique_ptr<Provider> provider;
};

struct ProviderMembers {
  std::vector<Member> all;  // in a snapshot never empty
  Strategy balance = Strategy::LeastBusy;
  QuotaLimits quota;  // of each member

  /// For what is the same of all members: name, zone, dialect, known models.
  const Provider& any() const { return *all.front().provider; }

  /// Appends a target for each member; they stand at one place behind those that are there.
  void add_targets(const std::string& name, const std::string& upstream_model, double weight,
                   std::vector<Target>& targets) const {
    const std::uint16_t place =
        targets.empty() ? 0 : static_cast<std::uint16_t>(targets.back().place + 1);
    for (const Member& member : all) {
      Target target = make_target(name, member.provider.get(), upstream_model, weight, member.name);
      target.place = place;
      target.balance = balance;
      target.quota = quota;
      target.quota_key =
          std::hash<std::string>()(std::string(member.provider->name()) + '\n' + member.name);
      targets.push_back(std::move(target));
    }
  }
};

/// Of a provider that is reached in one way only.
inline ProviderMembers single_member(std::unique_ptr<Provider> provider) {
  ProviderMembers members;
  members.all.push_back({{}, std::move(provider)});
  return members;
}

}  // namespace causeway

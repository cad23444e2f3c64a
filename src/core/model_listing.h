// The models that a provider says it has, fetched now and then; outlives snapshots. Written by a
// background job, read by listings and by callers that ask for a provider's own model names.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace causeway {

class ModelListing {
 public:
  std::vector<std::string> names() const {
    const std::lock_guard guard(mutex_);
    return names_;
  }
  /// At most 10,000 names are kept.
  void set(std::vector<std::string> names) {
    if (names.size() > 10'000) names.resize(10'000);
    const std::lock_guard guard(mutex_);
    names_ = std::move(names);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
};

/// By the provider's name.
class ModelListings {
 public:
  std::shared_ptr<ModelListing> of(const std::string& provider) {
    const std::lock_guard guard(mutex_);
    auto& listing = listings_[provider];
    if (!listing) listing = std::make_shared<ModelListing>();
    return listing;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ModelListing>> listings_;
};

}  // namespace causeway

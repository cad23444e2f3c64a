// One loop's current version of something immutable that other threads replace now and then (the
// configuration, the key table). An exchange pins the version it began with and keeps using it; an
// old version is let go when its last pin is. Counting is per loop and not atomic, so that no
// request touches a shared reference count. All calls come from the loop's thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <utility>

namespace causeway {

template <class T>
class Pinned {
  struct Version {
    std::shared_ptr<const T> value;
    std::uint64_t pins = 0;
  };
  using Versions = std::list<Version>;

 public:
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), version_(other.version_) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(version_, other.version_);
      return *this;
    }
    ~Pin() {
      if (owner_) owner_->release(version_);
    }
    explicit operator bool() const { return owner_ != nullptr; }
    const T& operator*() const { return *version_->value; }
    const T* operator->() const { return version_->value.get(); }

   private:
    friend class Pinned;
    Pin(Pinned* owner, typename Versions::iterator version) : owner_(owner), version_(version) {
      ++version_->pins;
    }
    Pinned* owner_ = nullptr;
    typename Versions::iterator version_{};
  };

  explicit Pinned(std::shared_ptr<const T> first) { versions_.push_back({std::move(first)}); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  Pin pin() { return Pin(this, std::prev(versions_.end())); }
  const T& current() const { return *versions_.back().value; }

  void replace(std::shared_ptr<const T> next) {
    const auto old = std::prev(versions_.end());
    versions_.push_back({std::move(next)});
    if (old->pins == 0) versions_.erase(old);
  }

  /// Versions alive on this loop; 1 when nothing old is in use any more.
  std::size_t versions() const { return versions_.size(); }

 private:
  void release(typename Versions::iterator version) {
    if (--version->pins == 0 && version != std::prev(versions_.end())) versions_.erase(version);
  }
  Versions versions_;
};

}  // namespace causeway

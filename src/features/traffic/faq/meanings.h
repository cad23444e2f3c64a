// The vectors of all entries, by embedding model: asked for on the control loop when a policy names
// a model and whenever there are questions that have none yet, held by every loop. Where the model
// does not answer, what is there stays, and is asked for again later.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/ask.h"
#include "core/principal.h"
#include "features/traffic/faq/vectors.h"
#include "platform/base/clock.h"

namespace causeway::faq {

/// What asks for the vectors of the entries, as usage and traces name it.
inline constexpr std::string_view kKey = "faq";

/// By model; immutable.
using VectorsByModel = std::map<std::string, std::shared_ptr<const Vectors>, std::less<>>;

class Meanings {
 public:
  static constexpr std::size_t kMostModels = 4;
  static constexpr auto kPause = std::chrono::seconds(10);  // after a try that failed

  struct Parts {
    const Tables& tables;
    const Clock& clock;
    std::function<Asker*()> asker;  // null: the program is starting or ending
    std::function<void(std::move_only_function<void()>)> post;  // onto the control loop
  };
  explicit Meanings(Parts parts);

  /// What the policies of a configuration name. From any thread.
  void want(std::vector<std::string> models);
  /// There may be questions without vectors. From any thread.
  void look();

  class alignas(64) Hold {
    friend class Meanings;
    std::uint64_t number = 0;
    std::shared_ptr<const VectorsByModel> all;
  };
  /// One loop's hold, as Tables has it; null where there are none of this model. The view lives as
  /// long as the hold holds it.
  std::shared_ptr<const Vectors> held(Hold& hold, std::string_view model) const;
  /// Rows of all models, for the metrics.
  std::size_t rows() const;

 private:
  // All of these on the control loop.
  void begin();
  Task<void> run();
  Task<bool> fill(std::string model);
  Task<bool> ask_for(std::string model, std::vector<std::string> questions, VectorMap* known);
  void publish();

  const Parts parts_;
  const Principal principal_;
  std::vector<std::string> wanted_;
  std::map<std::string, VectorMap, std::less<>> known_;
  bool running_ = false, again_ = false;
  Monotonic not_before_{};

  mutable std::mutex mutex_;
  std::shared_ptr<const VectorsByModel> all_ = std::make_shared<const VectorsByModel>();
  std::atomic<std::uint64_t> number_{1};
};

}  // namespace causeway::faq

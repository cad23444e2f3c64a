// The names model at work: one small group of threads with a bounded queue for all loops, the model
// read when it is first asked for, and a memory of what it has looked at. Whoever asks waits, for a
// while: then the answer is an error, since what was not looked at must not leave.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data_files.h"
#include "features/privacy/pii/model_chunks.h"
#include "features/privacy/pii/model_memory.h"
#include "features/privacy/pii/model_reader.h"
#include "platform/base/cancel.h"
#include "platform/base/clock.h"
#include "platform/base/task.h"
#include "platform/base/worker.h"
#include "platform/metrics/registry.h"

namespace causeway::pii {

/// The data of third_party/manifest that is the model.
inline constexpr std::string_view kNamesModel = "rampart";

/// What the model finds in some texts, which outlive it.
class ModelSearch {
 public:
  void add(std::string_view text);
  /// Of the text that was added at this place.
  const std::vector<Finding>& of(std::size_t place) const { return texts_[place].found; }

  /// The words that are to be looked at next; nothing when all have been.
  std::optional<std::string_view> next() const;
  /// What is in them. Then others are next.
  void found(std::span<const Finding> findings);

 private:
  struct OfText {
    std::string_view text;
    std::vector<Chunk> chunks;
    std::vector<Finding> found;
  };
  std::vector<OfText> texts_;
  std::size_t text_ = 0, chunk_ = 0;  // what is next
};

class NamesModel {
 public:
  struct Options {
    int threads = 1;
    std::size_t queue = 64;                  // searches that may wait
    std::chrono::milliseconds wait{10'000};  // of a search, all in all
  };
  /// `files` outlives it.
  NamesModel(DataFiles& files, Options options);
  NamesModel(const NamesModel&) = delete;
  NamesModel& operator=(const NamesModel&) = delete;

  /// As many threads as leave half of the processors to the loops.
  static Options usual();

  using Post = std::function<void(std::move_only_function<void()>)>;
  /// On the model's threads: `first`, which fills `search`; the search; `last`. The coroutine
  /// resumes through `post`, on its own loop. A little at a time, so that a long text keeps nobody
  /// else waiting. Errors:
  ///   Unavailable  pii_model_missing: the file is not here (its fetch has begun) or is none;
  ///   Overloaded   pii_model_busy: the queue is full or the time is up. What was looked at by then
  ///   is
  ///                remembered;
  ///   Cancelled    the caller left.
  Task<Result<void>> run(ModelSearch& search, Post post, Cancel* cancel,
                         std::move_only_function<void()> first,
                         std::move_only_function<void()> last);

  /// Without threads or a memory, for tools: all of `search`.
  static Result<void> run_here(const std::string& file, ModelSearch& search);

  /// Whether the file is here; where it is not, its fetch begins.
  Result<void> prepare();
  void declare_metrics(metrics::Registry& metrics);

 private:
  Result<const ModelReader*> reader();
  Result<void> look_at(std::string_view words, std::vector<Finding>& found);
  Result<bool> step(ModelSearch& search, Monotonic deadline, const std::atomic<bool>& gone);
  Result<bool> count(Result<bool> result);

  DataFiles& files_;
  const Options options_;
  ModelMemory memory_;
  std::mutex mutex_;
  // Guarded by mutex_ until they are there; null until they are first asked for.
  std::unique_ptr<const bert::TokenClassifier> classifier_;
  std::unique_ptr<const ModelReader> reader_;
  std::atomic<std::uint64_t> run_{0}, remembered_{0}, missing_{0}, busy_{0};
  WorkerGroup group_;  // last: its jobs use all of the above
};

}  // namespace causeway::pii

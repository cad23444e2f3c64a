#include "features/privacy/pii/names_model.h"

#include <algorithm>
#include <thread>

namespace causeway::pii {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSlice = 8;  // chunks that are looked at before others have their turn

ModelReader::Memory& working_memory() {
  thread_local ModelReader::Memory memory;
  return memory;
}

std::unexpected<Error> missing(Error why) {
  Error error = std::move(why);
  error.detail = error.message;
  error.kind = ErrorKind::Unavailable;
  error.origin = Origin::Us;
  error.code = "pii_model_missing";
  error.message =
      "This policy has personal data looked for by the names model, which is not there (yet). "
      "An operator finds more in docs/pii.md.";
  error.retryable = true;  // a target that may see the words can answer
  error.retry_after = 10s;
  return std::unexpected(std::move(error));
}

std::unexpected<Error> busy() {
  auto error =
      fail(ErrorKind::Overloaded, Origin::Us,
           "Too much is being looked through by the names model; try again.", "pii_model_busy");
  error.error().retryable = true;
  error.error().retry_after = 1s;
  return error;
}

}  // namespace

void ModelSearch::add(std::string_view text) {
  OfText& added = texts_.emplace_back();
  added.text = text;
  find_chunks(text, added.chunks);
}

std::optional<std::string_view> ModelSearch::next() const {
  std::size_t text = text_, chunk = chunk_;
  for (; text < texts_.size(); ++text, chunk = 0) {
    if (chunk == texts_[text].chunks.size()) continue;
    const Chunk& at = texts_[text].chunks[chunk];
    return texts_[text].text.substr(at.begin, at.end - at.begin);
  }
  return std::nullopt;
}

void ModelSearch::found(std::span<const Finding> findings) {
  while (chunk_ == texts_[text_].chunks.size()) {
    ++text_;
    chunk_ = 0;
  }
  OfText& text = texts_[text_];
  const std::uint32_t begin = text.chunks[chunk_++].begin;
  for (Finding one : findings) {
    one.begin += begin;
    one.end += begin;
    text.found.push_back(one);
  }
}

NamesModel::Options NamesModel::usual() {
  Options options;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 2));
  return options;
}

NamesModel::NamesModel(DataFiles& files, Options options)
    : files_(files), options_(options), group_("names", options.threads, options.queue) {}

Result<const ModelReader*> NamesModel::reader() {
  const std::lock_guard lock(mutex_);
  if (reader_) return reader_.get();
  auto file = files_.find(kNamesModel);
  if (!file) return missing(std::move(file).error());
  auto read = bert::TokenClassifier::read(*file);
  if (!read) return missing(std::move(read).error());
  classifier_ = std::move(*read);
  reader_ = std::make_unique<const ModelReader>(*classifier_);
  return reader_.get();
}

Result<void> NamesModel::look_at(std::string_view words, std::vector<Finding>& found) {
  const auto reader = this->reader();
  if (!reader) return std::unexpected(reader.error());
  (*reader)->read(words, working_memory(), found);
  return {};
}

Result<void> NamesModel::prepare() {
  auto file = files_.find(kNamesModel);
  if (!file) return pass(std::move(file));
  return {};
}

Result<bool> NamesModel::step(ModelSearch& search, Monotonic deadline,
                              const std::atomic<bool>& gone) {
  std::vector<Finding> found;
  std::size_t looked_at = 0;
  while (const auto chunk = search.next()) {
    const auto key = memory_.key_of(*chunk);
    if (memory_.find(key, found)) {
      ++remembered_;
    } else {
      if (looked_at++ == kSlice || gone) return false;
      if (std::chrono::steady_clock::now() >= deadline) return busy();
      if (auto looked = look_at(*chunk, found); !looked) return pass(std::move(looked));
      memory_.keep(key, found);
      ++run_;
    }
    search.found(found);
  }
  return true;
}

Result<bool> NamesModel::count(Result<bool> result) {
  if (!result) ++(result.error().kind == ErrorKind::Unavailable ? missing_ : busy_);
  return result;
}

Task<Result<void>> NamesModel::run(ModelSearch& search, Post post, Cancel* cancel,
                                   std::move_only_function<void()> first,
                                   std::move_only_function<void()> last) {
  const Monotonic deadline = std::chrono::steady_clock::now() + options_.wait;
  std::atomic<bool> gone = cancel && cancel->requested();
  if (cancel) cancel->on_request([&gone] { gone = true; });
  Result<void> ended;
  for (bool begun = false, more = true; more; begun = true) {
    auto job = [&, begun]() -> Result<bool> {
      if (gone) return false;
      if (!begun) first();
      auto done = step(search, deadline, gone);
      if (done && *done) last();
      return done;
    };
    auto stepped = co_await offload(group_, post, std::move(job));
    // The group says it in words of its own.
    if (!stepped && stepped.error().kind == ErrorKind::Overloaded) stepped = busy();
    stepped = count(std::move(stepped));
    more = stepped && !*stepped && !gone;
    if (!stepped) ended = std::unexpected(std::move(stepped).error());
  }
  if (cancel) cancel->on_request(nullptr);
  if (gone) co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
  co_return ended;
}

Result<void> NamesModel::run_here(const std::string& file, ModelSearch& search) {
  static std::unique_ptr<const bert::TokenClassifier> model;
  if (!model) {
    auto read = bert::TokenClassifier::read(file);
    if (!read) return pass(std::move(read));
    model = std::move(*read);
  }
  const ModelReader reader(*model);
  std::vector<Finding> found;
  while (const auto chunk = search.next()) {
    reader.read(*chunk, working_memory(), found);
    search.found(found);
  }
  return {};
}

void NamesModel::declare_metrics(metrics::Registry& metrics) {
  metrics.sampled(metrics::Kind::Counter,
                  {"causeway_pii_model_chunks_total",
                   "Pieces of text for the names model: looked at (run), or known from before "
                   "(remembered).",
                   {"how"}},
                  [this](metrics::SampleSink& sink) {
                    sink.add({"run"}, static_cast<double>(run_.load()));
                    sink.add({"remembered"}, static_cast<double>(remembered_.load()));
                  });
  metrics.sampled(metrics::Kind::Counter,
                  {"causeway_pii_model_refused_total",
                   "Requests that the names model could not look through, by reason.",
                   {"reason"}},
                  [this](metrics::SampleSink& sink) {
                    sink.add({"missing"}, static_cast<double>(missing_.load()));
                    sink.add({"busy"}, static_cast<double>(busy_.load()));
                  });
}

}  // namespace causeway::pii

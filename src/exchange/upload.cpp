#include "exchange/upload.h"

#include <algorithm>
#include <utility>

#include "core/snapshot.h"
#include "platform/base/worker.h"
#include "platform/http/server_stream.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

std::unexpected<Error> too_large(std::size_t limit) {
  return fail(ErrorKind::TooLarge, Origin::Client,
              "The body is larger than the limit of " + std::to_string(limit) +
                  " bytes (server.limits.upload).");
}

// The disk's own words are for the log: they name folders.
std::unexpected<Error> not_kept(Error error) {
  if (error.kind == ErrorKind::Overloaded) return std::unexpected(std::move(error));
  const bool full = error.code == "store_full";
  auto failed =
      fail(ErrorKind::Unavailable, Origin::Us,
           full ? "The gateway's disk is full: the upload cannot be kept while it is "
                  "passed on. Try again later, or tell its operator."
                : "The gateway's disk does not take the upload, or does not give it back.",
           full ? "store_full" : "upload_not_kept");
  failed.error().detail = std::move(error.message);
  failed.error().retry_after = std::chrono::seconds(5);
  return failed;
}

template <class Job, class R = std::invoke_result_t<Job&>>
Task<R> on_disk(const LoopContext& context, Job job) {
  if (!context.files) co_return job();
  auto post = [loop = context.loop](std::move_only_function<void()> resume) {
    loop->post(std::move(resume));
  };
  auto done = co_await offload(*context.files, std::move(post), std::move(job));
  if (!done) co_return not_kept(std::move(done).error());
  co_return done;
}

}  // namespace

Task<Result<void>> Upload::read(http::ServerStream& stream, std::size_t limit) {
  const auto boundary = http::boundary_of(stream.head().find("content-type").value_or(""));
  if (!boundary) co_return std::unexpected(boundary.error());
  http::MultipartReader reader(*boundary);
  for (;;) {
    auto piece = co_await stream.read_some();
    if (!piece) co_return pass(std::move(piece));
    if (piece->empty()) break;
    size_ += piece->size();
    if (size_ > limit) co_return too_large(limit);
    if (auto fine = reader.feed(*piece); !fine) co_return fine;
    auto kept = co_await keep(*piece);
    if (!kept) co_return kept;
  }
  if (auto fine = reader.finish(); !fine) co_return fine;
  parts_ = reader.parts();
  co_return Result<void>{};
}

Task<Result<void>> Upload::keep(std::string_view bytes) {
  while (!bytes.empty()) {
    if (memory_.size() == kUploadPiece) {
      auto spilled = co_await spill();
      if (!spilled) co_return spilled;
    }
    const auto count = std::min(bytes.size(), kUploadPiece - memory_.size());
    memory_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
  }
  co_return Result<void>{};
}

Task<Result<void>> Upload::spill() {
  auto job = [this]() -> Result<void> {
    if (!spool_) {
      auto made = store::Spool::make(context_.data_folder);
      if (!made) return pass(std::move(made));
      spool_ = std::make_unique<store::Spool>(std::move(*made));
    }
    return spool_->append(memory_);
  };
  auto written = co_await on_disk(context_, std::move(job));
  if (!written) co_return written;
  ++spilled_;
  memory_.clear();
  co_return Result<void>{};
}

Task<Result<std::string>> Upload::piece(std::size_t number) const {
  auto job = [this, number] { return spool_->read(number); };
  auto task = on_disk(context_, std::move(job));
  co_return co_await std::move(task);
}

class Upload::Source final : public http::BodySource {
 public:
  Source(const Upload& upload, const http::FormPart& replaced, std::string_view with)
      : upload_(upload), replaced_(replaced), with_(with) {}

  std::optional<std::uint64_t> size() const override {
    return upload_.size_ - (replaced_.end - replaced_.begin) + with_.size();
  }

  Task<Result<std::string_view>> next() override {
    if (at_ == replaced_.begin && !std::exchange(told_, true)) {
      at_ = replaced_.end;
      if (!with_.empty()) co_return with_;
    }
    if (at_ == upload_.size_) co_return std::string_view();
    const std::size_t number = at_ / kUploadPiece;
    std::string_view whole = upload_.memory_;
    if (number < upload_.spilled_) {
      if (number != loaded_) {
        auto read = co_await upload_.piece(number);
        if (!read) co_return pass(std::move(read));
        piece_ = std::move(*read);
        loaded_ = number;
      }
      whole = piece_;
    }
    const auto begin = static_cast<std::size_t>(at_ % kUploadPiece);
    auto count = std::uint64_t{whole.size() - begin};
    if (!told_) count = std::min(count, replaced_.begin - at_);
    at_ += count;
    co_return whole.substr(begin, static_cast<std::size_t>(count));
  }

 private:
  const Upload& upload_;
  const http::FormPart& replaced_;
  std::string_view with_;
  std::uint64_t at_ = 0;
  bool told_ = false;
  std::string piece_;
  std::size_t loaded_ = static_cast<std::size_t>(-1);
};

std::unique_ptr<http::BodySource> Upload::as_sent(std::size_t model_part,
                                                  std::string_view model) const {
  return std::make_unique<Source>(*this, parts_[model_part], model);
}

namespace {

class PassingBody final : public http::BodySource {
 public:
  explicit PassingBody(Exchange& exchange) : exchange_(exchange) {}

  std::optional<std::uint64_t> size() const override { return exchange_.head().content_length; }

  Task<Result<std::string_view>> next() override {
    auto piece = co_await exchange_.stream->read_some();
    if (!piece) co_return piece;
    auto& bytes = exchange_.outcome.request_bytes;
    bytes += piece->size();
    const auto limit = exchange_.snapshot->max_upload_bytes;
    if (bytes > limit) co_return too_large(limit);
    co_return piece;
  }

 private:
  Exchange& exchange_;
};

}  // namespace

std::unique_ptr<http::BodySource> passing_body(Exchange& exchange) {
  if (!exchange.head().has_body()) return nullptr;
  return std::make_unique<PassingBody>(exchange);
}

}  // namespace causeway::exchange

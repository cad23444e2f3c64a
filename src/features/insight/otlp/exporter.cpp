#include "features/insight/otlp/exporter.h"

#include <algorithm>

#include "platform/base/worker.h"
#include "platform/transfer/transfer.h"

namespace causeway::otlp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostBytes = 8 * 1024 * 1024;  // that wait
constexpr std::size_t kBatch = 512;                  // exchanges in one request
constexpr std::size_t kBatchBytes = 1024 * 1024;
constexpr auto kGather = 1s;  // how long spans wait for others
constexpr int kTries = 5;
constexpr std::chrono::milliseconds kFirstPause = 500ms;  // doubled each time
constexpr auto kFarewell = 2s;

std::int64_t nanoseconds(Wall time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Exporter::Exporter(Parts parts)
    : parts_(std::move(parts)), begin_(nanoseconds(parts_.clock.wall())) {}

Exporter::~Exporter() {
  {
    const std::lock_guard guard(mutex_);
    settings_.endpoint.clear();
  }
  close();
}

void Exporter::close() {
  sends_spans_ = false;
  const OtlpSettings now = settings();
  const bool last = !*closed_ && !now.endpoint.empty() && now.metrics == Sent::On;
  *closed_ = true;
  auto families = last ? parts_.metrics.collect() : std::vector<metrics::FamilySamples>();
  {
    const std::lock_guard guard(mutex_);
    if (last) collected_ = std::move(families);
    stopped_ = true;
    farewell_ = parts_.clock.now() + kFarewell;
  }
  hurry_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Exporter::configure(const OtlpSettings& settings) {
  const std::lock_guard guard(mutex_);
  settings_ = settings;
  const bool on = !settings.endpoint.empty();
  sends_spans_ = on && settings.traces == Sent::On;
  if (!sends_spans_) {
    dropped_ += waiting_.size();
    waiting_.clear();
    waiting_bytes_ = 0;
  }
  next_metrics_ = parts_.clock.now() + settings.interval;
  if (settings.metrics == Sent::Off) collected_.reset();
  if (on && !thread_.joinable()) thread_ = start_thread("otlp", [this] { work(); });
  wake_.notify_all();
}

OtlpSettings Exporter::settings() const {
  const std::lock_guard guard(mutex_);
  return settings_;
}

Resource Exporter::resource(const OtlpSettings& settings) const {
  return {settings.service, parts_.version, parts_.instance};
}

void Exporter::add(const ExchangeRecord& record) {
  if (!sends_spans_) return;
  std::string spans = spans_json(record, stages_);
  const std::lock_guard guard(mutex_);
  if (waiting_bytes_ + spans.size() > kMostBytes) {
    ++dropped_;
    return;
  }
  waiting_bytes_ += spans.size();
  waiting_.push_back(std::move(spans));
  if (waiting_.size() == 1 || waiting_.size() == kBatch) wake_.notify_one();
}

// Until a batch is full, or its first one has waited long enough, or metrics are due.
void Exporter::wait_for_work() {
  std::unique_lock lock(mutex_);
  const auto due = [this] {
    return settings_.metrics == Sent::On && !settings_.endpoint.empty() && !asked_
               ? std::max(next_metrics_ - parts_.clock.now(), Monotonic::duration::zero())
               : Monotonic::duration(1h);
  };
  wake_.wait_for(lock, due(),
                 [&] { return stopped_ || !waiting_.empty() || collected_ || due() == 0s; });
  if (stopped_ || collected_ || waiting_.empty()) return;
  wake_.wait_for(lock, std::min<Monotonic::duration>(kGather, due()),
                 [&] { return stopped_ || collected_ || waiting_.size() >= kBatch; });
}

void Exporter::work() {
  for (;;) {
    wait_for_work();
    const OtlpSettings now = settings();
    if (!now.endpoint.empty()) {
      send_spans(now);
      send_metrics(now);
    }
    const std::lock_guard guard(mutex_);
    if (!stopped_) continue;
    if (!waiting_.empty() && !settings_.endpoint.empty() && parts_.clock.now() < farewell_)
      continue;
    dropped_ += waiting_.size();
    return;
  }
}

std::string Exporter::take_spans(std::size_t& exchanges) {
  std::string spans;
  const std::lock_guard guard(mutex_);
  while (!waiting_.empty() && exchanges < kBatch && spans.size() < kBatchBytes) {
    if (!spans.empty()) spans += ',';
    spans += waiting_.front();
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
    ++exchanges;
  }
  return spans;
}

void Exporter::send_spans(const OtlpSettings& settings) {
  std::size_t exchanges = 0;
  const std::string spans = take_spans(exchanges);
  if (exchanges == 0) return;
  const bool sent = deliver(settings, "/v1/traces", traces_request(resource(settings), spans));
  (sent ? sent_ : dropped_) += exchanges;
}

// A report that is not taken is not sent again: the next one says all.
void Exporter::send_metrics(const OtlpSettings& settings) {
  std::optional<std::vector<metrics::FamilySamples>> families;
  bool due = false;
  {
    const std::lock_guard guard(mutex_);
    families.swap(collected_);
    due =
        !asked_ && !stopped_ && settings.metrics == Sent::On && parts_.clock.now() >= next_metrics_;
    if (due) {
      asked_ = true;
      next_metrics_ = parts_.clock.now() + settings.interval;
    }
  }
  if (due) ask_for_metrics();
  if (!families) return;
  bool again = false;
  (void)send_once(
      settings, "/v1/metrics",
      metrics_request(resource(settings), *families, begin_, nanoseconds(parts_.clock.wall())),
      again);
}

void Exporter::ask_for_metrics() {
  parts_.post([this, closed = closed_] {
    if (*closed) return;  // and this may be gone
    auto families = parts_.metrics.collect();
    const std::lock_guard guard(mutex_);
    collected_ = std::move(families);
    asked_ = false;
    wake_.notify_one();
  });
}

bool Exporter::deliver(const OtlpSettings& settings, const char* path, const std::string& body) {
  auto pause = kFirstPause;
  for (int i = 0; i < kTries; ++i, pause *= 2) {
    bool again = false;
    if (send_once(settings, path, body, again)) return true;
    if (!again || i + 1 == kTries || !wait_before_next(pause)) return false;
  }
  return false;
}

bool Exporter::send_once(const OtlpSettings& settings, const char* path, const std::string& body,
                         bool& again) {
  transfer::Post post{Secret(settings.endpoint + path), {}, body};
  post.fields.emplace_back("Content-Type", "application/json");
  for (const auto& header : settings.headers) {
    post.fields.emplace_back(header.name, header.value.reveal());
  }
  transfer::Limits limits;
  limits.deadline = settings.timeout;
  if (hurry_) {
    // The farewell has its end; what was being sent when it began has had its time.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(farewell() - parts_.clock.now());
    if (left <= 0ms) return false;
    limits.deadline = std::min(limits.deadline, left);
  } else {
    limits.stop = &hurry_;
  }
  limits.ca_file = settings.ca_file;
  const auto done = transfer::send(post, limits);
  if (done) {
    if (std::exchange(told_, false)) parts_.log.info("otlp: the receiver takes what is sent again");
    return true;
  }
  ++failures_;
  again = done.error().retryable;
  if (!std::exchange(told_, true)) {
    parts_.log.warn("otlp: the receiver does not take what is sent; told once",
                    {{"path", path}, {"reason", done.error().message}});
  }
  return false;
}

Monotonic Exporter::farewell() const {
  const std::lock_guard guard(mutex_);
  return farewell_;
}

/// False when the program ends meanwhile.
bool Exporter::wait_before_next(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopped_; });
}

Exporter::Counts Exporter::counts() const {
  return {sent_.load(), dropped_.load(), failures_.load()};
}

}  // namespace causeway::otlp

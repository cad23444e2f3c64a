// Fills an archive with traces (1,000,000 unless told otherwise, 10,000 of them with contents) and
// prints what searches in it take. `causeway_traces_million [TRACES [FOLDER]]`; with a folder it
// stays there, as a gateway's data. scripts/bench --traces
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>

#include "features/insight/traces/archive.h"
#include "platform/store/test_folder.h"

namespace {

using namespace causeway;
using namespace causeway::traces;

constexpr int kDays = 10;  // up to now
constexpr int kWithContents = 10'000;
constexpr int kTries = 9;

double seconds_since(Monotonic begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

Record make_record(int number, int of, std::int64_t first, std::mt19937_64& random) {
  Record one;
  one.id.set("req_" + std::to_string(random()));
  for (char& c : one.trace_id) c = "0123456789abcdef"[random() % 16];
  one.key_id.set("key_" + std::to_string(random() % 200));
  one.tenant.set("tenant_" + std::to_string(random() % 20));
  one.user.set("user_" + std::to_string(random() % 5000));
  const std::uint64_t model = random() % 8;
  one.model.set("model-" + std::to_string(model));
  one.policy.set("everyone");
  one.dialect = "openai";
  one.started_micros = first + kDays * std::int64_t{86'400'000'000} * number / of;
  const bool failed = random() % 50 == 0;
  one.status = failed ? 504 : 200;
  if (failed) one.error = static_cast<std::int8_t>(ErrorKind::Timeout);
  if (failed) one.code.set("total_timeout");
  one.usage.source = UsageSource::Reported;
  one.usage.input_uncached = static_cast<std::uint32_t>(random() % 4000);
  one.usage.output_visible = static_cast<std::uint32_t>(random() % 800);
  one.cost_micros = static_cast<std::int64_t>(random() % 20'000);
  one.total_micros = static_cast<std::uint32_t>(200'000 + random() % 2'000'000);
  if (random() % 10'000 == 0) one.total_micros = 60'000'000;
  one.mark_count = 10;
  for (std::uint8_t i = 0; i < 10; ++i) {
    one.marks[i] = {i, false, static_cast<std::uint32_t>(random() % 50'000)};
  }
  one.attempt_count = 1;
  one.attempts[0].target.set("provider/upstream-" + std::to_string(model));
  one.attempts[0].dialect = "openai";
  one.attempts[0].end = failed ? AttemptEnd::Failed : AttemptEnd::Answered;
  if (failed || random() % 100 != 0) return one;
  one.attempts[1] = one.attempts[0];  // the second target answered
  one.attempts[0].target.set("broken/upstream");
  one.attempts[0].end = AttemptEnd::Failed;
  one.attempt_count = 2;
  return one;
}

std::unique_ptr<Contents> make_contents(std::mt19937_64& random) {
  auto contents = std::make_unique<Contents>();
  std::string words;
  while (words.size() < 3000) words += "word" + std::to_string(random() % 10'000) + ' ';
  contents->set_request(R"({"model":"m","messages":[{"role":"user","content":")" + words +
                        R"("}]})");
  contents->add({}, words.substr(0, 1000));
  return contents;
}

// Of this thread: on a busy machine the time says more of the others.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// The median of some tries, and the slowest.
void measure(Archive& archive, const char* what, const Filter& filter) {
  std::vector<double> took;
  std::vector<double> cpu;
  std::size_t found = 0;
  std::uint64_t opened = 0;
  for (int i = 0; i < kTries; ++i) {
    const double cpu_before = cpu_milliseconds();
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = archive.search(filter);
    took.push_back(seconds_since(begin) * 1000);
    cpu.push_back(cpu_milliseconds() - cpu_before);
    found = answer.results.traces.size();
    opened = answer.results.opened;
  }
  std::ranges::sort(took);
  std::ranges::sort(cpu);
  std::printf("%-56s %5zu found  median %6.1f ms  slowest %6.1f ms  CPU %6.1f ms", what, found,
              took[kTries / 2], took.back(), cpu[kTries / 2]);
  if (opened > 0) std::printf("  %llu opened", static_cast<unsigned long long>(opened));
  std::printf("\n");
}

void search(Archive& archive, const std::string& some_id) {
  const auto with = [](Field field, std::string pattern) {
    Filter filter;
    filter.names.emplace_back(field, std::move(pattern));
    return filter;
  };
  measure(archive, "list: the last 100", {});
  measure(archive, "one model of eight", with(Field::Model, "model-3"));
  measure(archive, "errors (2 %)", with(Field::Error, "*"));
  measure(archive, "a target failed, another one answered (1 %)",
          with(Field::FailedTarget, "broken/*"));
  measure(archive, "one user of 5,000", with(Field::User, "user_77"));
  measure(archive, "users by pattern (user_77*)", with(Field::User, "user_77*"));
  measure(archive, "nobody", with(Field::User, "nobody"));
  Filter filter = with(Field::User, "user_7*");
  filter.names.emplace_back(Field::Error, "*");
  filter.names.emplace_back(Field::Model, "model-3");
  measure(archive, "users by pattern, errors, one model", filter);
  filter = {};
  filter.min_micros = 30'000'000;
  measure(archive, "30 s and slower (0.01 %)", filter);
  filter.min_micros = 2'000'000;
  filter.names = {{Field::Status, "200"}};
  measure(archive, "2 s and slower, and answered (9 %)", filter);
  filter = with(Field::Status, "200");
  filter.names.emplace_back(Field::Error, "*");
  filter.names.emplace_back(Field::Model, "model-3");
  measure(archive, "two filters that exclude each other (nothing is found)", filter);
  filter = with(Field::Status, "200");
  filter.names.emplace_back(Field::Model, "*");
  filter.min_cost = 19'999;
  filter.min_micros = 2'199'000;
  measure(archive, "wide filters, few traces", filter);
  filter = {};
  filter.id = some_id;
  measure(archive, "by request id", filter);
  filter = {};
  filter.contains = "said by nobody";
  filter.limit = 1000;
  measure(archive, "contents: words that nobody said, all 10,000", filter);
  filter.contains = "word4711 ";
  measure(archive, "contents: words that some said", filter);
}

}  // namespace

int main(int argc, char** argv) {
  const int traces = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  store::TestFolder test;
  const std::filesystem::path path = argc > 2 ? std::filesystem::path(argv[2]) : test.path;
  const auto folder = store::DataFolder::open(path).value();
  const std::int64_t now = std::chrono::duration_cast<std::chrono::microseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  const std::int64_t first = now - kDays * std::int64_t{86'400'000'000};
  auto store = store::Store::open(folder).value();
  auto sealed = store::Sealed::open(*store, folder).value();
  ManualClock clock;
  clock.set_wall(Wall(std::chrono::microseconds(first)));
  log::Log log({}, clock);
  KeepSettings keep;
  keep.max_size = config::Bytes{100 * config::kGiB};
  Archive archive({.folder = path / "traces",
                   .sealed = *sealed,
                   .log = log,
                   .clock = clock,
                   .keep = keep,
                   .program = "bench"});
  archive.set_stages(std::vector<std::string>(16, "stage"));
  std::mt19937_64 random(1);
  std::string some_id;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < traces; ++i) {
    Record* place = archive.begin(0);
    while (!place) {
      ::usleep(500);
      place = archive.begin(0);
    }
    *place = make_record(i, traces, first, random);
    if (i == traces / 2) some_id = place->id.view();
    const bool said = traces - i <= kWithContents;
    archive.end(0, said ? make_contents(random) : nullptr);
  }
  while (!archive.flush(std::chrono::seconds(10))) {
  }
  const double took = seconds_since(begin);
  const auto files = Partitions(path / "traces").list();
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.bytes;
  std::printf("%d traces in %.1f s (%.1f us each), %zu files, %.0f MiB (%.0f bytes each)\n", traces,
              took, took * 1e6 / traces, files.size(), static_cast<double>(bytes) / (1 << 20),
              static_cast<double>(bytes) / traces);
  search(archive, some_id);
  return 0;
}

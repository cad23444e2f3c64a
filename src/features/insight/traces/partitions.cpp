#include "features/insight/traces/partitions.h"

#include <algorithm>
#include <cstdio>
#include <system_error>

namespace causeway::traces {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".db";
constexpr std::string_view kDamaged = ".db.damaged";
constexpr std::size_t kNameBytes = 23;
constexpr std::string_view kLogs[] = {"-wal", "-shm"};

fs::path with(const fs::path& path, std::string_view ending) {
  return path.string() + std::string(ending);
}

std::uint64_t bytes_of(const fs::path& path) {
  std::error_code failed;
  const auto bytes = fs::file_size(path, failed);
  return failed ? 0 : bytes;
}

void unlink_all(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
  for (const auto log : kLogs) fs::remove(with(path, log), ignored);
}

}  // namespace

std::string name_of_time(std::int64_t micros) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(micros)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02d.%06dZ", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()),
                int(clock.subseconds().count()));
  return text;
}

std::optional<std::int64_t> time_of_name(std::string_view name) {
  using namespace std::chrono;
  int y = 0, h = 0, min = 0, s = 0, us = 0;
  unsigned m = 0, d = 0;
  const std::string text(name);
  if (name.size() != kNameBytes ||
      std::sscanf(text.c_str(), "%4d%2u%2uT%2d%2d%2d.%6dZ", &y, &m, &d, &h, &min, &s, &us) != 7) {
    return std::nullopt;
  }
  const auto time = sys_days(year(y) / month(m) / day(d)) + hours(h) + minutes(min) + seconds(s) +
                    microseconds(us);
  const auto micros = time.time_since_epoch().count();
  if (name_of_time(micros) != name) return std::nullopt;
  return micros;
}

std::int64_t span_of(const KeepSettings& keep) {
  const std::chrono::microseconds day = std::chrono::days(1);
  return std::min<std::chrono::microseconds>(day, keep.keep / 8).count();
}

std::vector<Partitions::File> Partitions::list() const {
  std::vector<File> files;
  std::error_code failed;
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename();
    const auto first = time_of_name(std::string_view(name).substr(0, kNameBytes));
    const auto ending = std::string_view(name).substr(std::min(kNameBytes, name.size()));
    if (!first || (ending != kEnding && ending != kDamaged)) continue;
    File& file = files.emplace_back(File{at->path(), *first, 0, ending == kDamaged});
    file.bytes = bytes_of(file.path);
    for (const auto log : kLogs) file.bytes += bytes_of(with(file.path, log));
  }
  std::ranges::sort(files, {}, &File::first);
  return files;
}

fs::path Partitions::path_of(std::int64_t first) const {
  return folder_ / (name_of_time(first) + std::string(kEnding));
}

void Partitions::put_aside(const fs::path& path) const {
  std::error_code ignored;
  const fs::path aside = with(path, ".damaged");
  fs::rename(path, aside, ignored);
  for (const auto log : kLogs) fs::rename(with(path, log), with(aside, log), ignored);
}

std::vector<fs::path> Partitions::expire(std::int64_t now, const KeepSettings& keep,
                                         const fs::path& current) const {
  std::vector<fs::path> gone;
  const auto files = list();
  std::uint64_t bytes = 0;
  for (const File& file : files) bytes += file.bytes;
  const std::int64_t oldest = now - std::chrono::microseconds(keep.keep).count();
  for (const File& file : files) {
    if (file.path == current || (file.first > oldest && bytes <= keep.max_size)) continue;
    unlink_all(file.path);
    bytes -= file.bytes;
    gone.push_back(file.path);
  }
  return gone;
}

}  // namespace causeway::traces

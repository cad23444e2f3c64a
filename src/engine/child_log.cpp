#include "engine/child_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace causeway::engine {
namespace {

std::string time_stamp() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ ", &parts);
  return {text, size};
}

bool looks_like_error(const std::string& line) {
  return line.find("rror") != line.npos || line.find("ailed") != line.npos ||
         line.find("cannot") != line.npos;
}

}  // namespace

ChildLog::ChildLog(std::string path, Limits limits) : path_(std::move(path)), limits_(limits) {}

void ChildLog::open() {
  ::mkdir(path_.substr(0, path_.rfind('/')).c_str(), 0700);  // mostly there already
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  struct stat info{};
  written_ = fstat(descriptor, &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
  file_.reset(fdopen(descriptor, "a"));
  if (!file_) ::close(descriptor);
}

void ChildLog::write(std::string_view line) {
  if (path_.empty()) return;
  if (!file_) open();
  if (file_ && written_ > limits_.file_bytes) {
    file_.reset();
    std::rename(path_.c_str(), (path_ + ".1").c_str());
    open();
  }
  if (!file_) return;
  const std::string stamp = time_stamp();
  std::fwrite(stamp.data(), 1, stamp.size(), file_.get());
  std::fwrite(line.data(), 1, line.size(), file_.get());
  std::fputc('\n', file_.get());
  std::fflush(file_.get());
  written_ += stamp.size() + line.size() + 1;
}

void ChildLog::add(std::string_view line) {
  std::lock_guard lock(mutex_);
  add_locked(line);
  of_this_child_ = std::min(of_this_child_ + 1, lines_.size());
}

void ChildLog::begin(std::string_view line) {
  std::lock_guard lock(mutex_);
  add_locked(line);
  of_this_child_ = 0;
}

void ChildLog::add_locked(std::string_view line) {
  lines_.emplace_back(line);
  if (lines_.size() > limits_.lines) lines_.pop_front();
  write(line);
}

std::vector<std::string> ChildLog::last(std::size_t count) const {
  std::lock_guard lock(mutex_);
  count = std::min(count, lines_.size());
  return {lines_.end() - static_cast<std::ptrdiff_t>(count), lines_.end()};
}

std::string ChildLog::last_error() const {
  std::lock_guard lock(mutex_);
  const auto end = lines_.rbegin() + static_cast<std::ptrdiff_t>(of_this_child_);
  const auto found = std::find_if(lines_.rbegin(), end, looks_like_error);
  if (found != end) return *found;
  return of_this_child_ == 0 ? std::string() : lines_.back();
}

}  // namespace causeway::engine

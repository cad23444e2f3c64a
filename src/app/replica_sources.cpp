#include "app/replica_sources.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "platform/text/ascii.h"

namespace causeway::app {
namespace {

constexpr std::size_t kMostBytes = 256 * 1024;  // of a file

using Found = std::vector<std::string>;

std::string name_of(const ReplicasConfig& source) {
  return source.dns.empty() ? "file " + source.file : "dns " + source.dns;
}

std::unexpected<Error> unusable(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Us, std::move(why), "bad_replicas");
}

// Small files only, as the configuration itself.
Result<Found> read_file(const std::string& path) {
  std::error_code failed;
  const bool there = std::filesystem::exists(path, failed);
  // Opening a pipe would wait for whoever writes into it.
  if (there && !std::filesystem::is_regular_file(path, failed)) return unusable("it is no file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return unusable("it cannot be read");
  std::string text(kMostBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return unusable("it cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMostBytes) return unusable("it has more than 256 KiB");
  return replica_lines(text);
}

// In an order that does not change where servers answer in turn.
Result<Found> addresses_of(Result<std::vector<net::Address>> resolved) {
  if (!resolved) {
    const Error& error = resolved.error();
    return unusable(error.detail.empty() ? error.message : error.detail);
  }
  std::set<std::string> texts;
  for (const auto& address : *resolved) texts.insert(address.text());
  return Found(texts.begin(), texts.end());
}

}  // namespace

Result<Found> replica_lines(std::string_view text) {
  Found lines;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    line = text::trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (auto url = replica_url(line, {}); !url) {
      return unusable("line " + std::to_string(number) + " is " + url.error().message);
    }
    if (lines.size() == kMostMembers) return unusable("it has more than 256 replicas");
    lines.emplace_back(line);
  }
  if (lines.empty()) return unusable("it has no replicas");
  return lines;
}

ReplicaSources::ReplicaSources(net::Loop& loop, log::Log& log, Options options)
    : loop_(loop), log_(log), options_(std::move(options)), resolver_(loop, options_.resolver) {}

const Found& ReplicaSources::found(const ReplicasConfig& source) {
  static const Found kNothing;
  if (source.dns.empty() && source.file.empty()) return kNothing;
  const std::string name = name_of(source);
  const auto [entry, made] = sources_.try_emplace(name);
  entry->second.config = source;
  if (made && source.dns.empty()) {
    read(name, entry->second);
    changed_ = false;  // who asks has it
  }
  return entry->second.found;
}

void ReplicaSources::keep(const std::vector<ReplicasConfig>& sources) {
  std::erase_if(sources_, [&](const auto& known) {
    return std::ranges::none_of(sources,
                                [&](const auto& source) { return name_of(source) == known.first; });
  });
}

void ReplicaSources::tick() {
  for (auto& [name, source] : sources_) {
    if (source.running || loop_.now() < source.next) continue;
    if (source.config.dns.empty()) {
      read(name, source);
    } else {
      source.running = true;
      spawn(look_up(name));
    }
  }
  if (std::exchange(changed_, false)) options_.changed();
}

void ReplicaSources::read(const std::string& name, Source& source) {
  take(name, source, read_file(source.config.file));
}

Task<void> ReplicaSources::look_up(std::string name) {
  const auto mine = running_.emplace(running_.end());
  auto resolved = co_await resolver_.resolve(sources_.at(name).config.dns, 0, *mine);
  const bool cancelled = mine->requested();
  running_.erase(mine);
  const auto found = sources_.find(name);  // it may have been forgotten meanwhile
  if (cancelled || found == sources_.end()) co_return;
  found->second.running = false;
  take(name, found->second, addresses_of(std::move(resolved)));
}

void ReplicaSources::take(const std::string& name, Source& source, Result<Found> now) {
  source.next = loop_.now() + source.config.every;
  source.problem = now ? std::string() : now.error().message;
  log_.state(now ? log::Level::Info : log::Level::Warn, "replicas of " + name,
             now ? "found" : "not found; those that are known stay",
             {{"detail", now ? std::to_string(now->size()) : source.problem},
              {"known", source.found.size()}});
  if (!now || *now == source.found) return;
  source.found = std::move(*now);
  changed_ = true;
}

std::vector<std::string> ReplicaSources::problems() const {
  std::vector<std::string> all;
  for (const auto& [name, source] : sources_) {
    if (!source.problem.empty()) all.push_back("replicas of " + name + ": " + source.problem);
  }
  return all;
}

void ReplicaSources::close() {
  sources_.clear();
  for (auto one = running_.begin(); one != running_.end();) {
    (one++)->request();  // which may be its end
  }
}

}  // namespace causeway::app

#include "features/traffic/cache/memory.h"

#include <lz4.h>

namespace causeway::cache {
namespace {

constexpr std::size_t kWorthCompressing = 4096;
// List node, map node, two control blocks, the strings' own heads.
constexpr std::size_t kEntryOverhead = 320;

}  // namespace

std::size_t Kept::size() const {
  return kEntryOverhead + content_type.capacity() + bytes.capacity() + tenant.capacity() +
         model.capacity();
}

std::shared_ptr<Kept> pack(const StoredAnswer& answer) {
  auto kept = std::make_shared<Kept>();
  kept->content_type = answer.content_type;
  kept->streamed = answer.streamed;
  const std::string_view body = answer.body();
  kept->plain_size = static_cast<std::uint32_t>(body.size());
  if (body.size() >= kWorthCompressing) {
    std::string packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(body.size()))),
                       '\0');
    const int size = LZ4_compress_default(body.data(), packed.data(), static_cast<int>(body.size()),
                                          static_cast<int>(packed.size()));
    if (size > 0 && static_cast<std::size_t>(size) < body.size()) {
      kept->bytes.assign(packed, 0, static_cast<std::size_t>(size));
      kept->compressed = true;
      return kept;
    }
  }
  kept->bytes = body;
  return kept;
}

std::shared_ptr<const StoredAnswer> unpack(const Kept& kept) {
  auto answer = std::make_shared<StoredAnswer>();
  answer->content_type = kept.content_type;
  answer->streamed = kept.streamed;
  answer->padded.resize(kept.plain_size + StoredAnswer::kPadding);
  if (!kept.compressed) {
    if (kept.bytes.size() != kept.plain_size) return nullptr;
    kept.bytes.copy(answer->padded.data(), kept.plain_size);
    return answer;
  }
  const int size =
      LZ4_decompress_safe(kept.bytes.data(), answer->padded.data(),
                          static_cast<int>(kept.bytes.size()), static_cast<int>(kept.plain_size));
  if (size < 0 || static_cast<std::uint32_t>(size) != kept.plain_size) return nullptr;
  return answer;
}

std::shared_ptr<const Kept> Memory::find(const Key& key, Wall now) {
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(key);
  if (found == part.entries.end()) return nullptr;
  if (found->second->kept->until <= now) {
    drop(part, found->second);
    expired_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  part.order.splice(part.order.begin(), part.order, found->second);
  return found->second->kept;
}

void Memory::put(const Key& key, std::shared_ptr<const Kept> kept) {
  const std::size_t most = most_bytes_.load(std::memory_order_relaxed) / kParts;
  const std::size_t size = kept->size();
  if (size > most) return;
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  if (const auto found = part.entries.find(key); found != part.entries.end()) {
    drop(part, found->second);
  }
  part.order.push_front({key, std::move(kept)});
  part.entries.emplace(key, part.order.begin());
  part.bytes += size;
  shrink(part, most);
}

void Memory::drop(Part& part, Order::iterator entry) {
  part.bytes -= entry->kept->size();
  part.entries.erase(entry->key);
  part.order.erase(entry);
}

void Memory::shrink(Part& part, std::size_t most) {
  while (part.bytes > most) {
    drop(part, std::prev(part.order.end()));
    evicted_.fetch_add(1, std::memory_order_relaxed);
  }
}

std::size_t Memory::clear(std::string_view tenant, std::string_view model) {
  std::size_t cleared = 0;
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (auto at = part.order.begin(); at != part.order.end();) {
      const auto entry = at++;
      if (!tenant.empty() && entry->kept->tenant != tenant) continue;
      if (!model.empty() && entry->kept->model != model) continue;
      drop(part, entry);
      ++cleared;
    }
  }
  return cleared;
}

void Memory::set_most(std::size_t bytes) {
  most_bytes_.store(bytes, std::memory_order_relaxed);
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    shrink(part, bytes / kParts);
  }
}

Memory::Stats Memory::stats() const {
  Stats stats;
  stats.most_bytes = most_bytes_.load(std::memory_order_relaxed);
  stats.evicted = evicted_.load(std::memory_order_relaxed);
  stats.expired = expired_.load(std::memory_order_relaxed);
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    stats.entries += part.order.size();
    stats.bytes += part.bytes;
  }
  return stats;
}

}  // namespace causeway::cache

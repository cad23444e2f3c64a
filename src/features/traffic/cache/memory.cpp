#include "features/traffic/cache/memory.h"

#include <lz4.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace causeway::cache {
namespace {

constexpr std::size_t kWorthCompressing = 4096;
// List node, place in the map, the Kept itself, what blocks are rounded up by.
constexpr std::size_t kEntryOverhead = 448;

// How written() begins.
struct Head {
  std::uint32_t plain_size = 0;
  std::uint16_t type_size = 0;
  std::uint8_t compressed = 0, streamed = 0;
};

bool compress(std::string_view body, std::string& packed) {
  packed.resize(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(body.size()))));
  const int size = LZ4_compress_default(body.data(), packed.data(), static_cast<int>(body.size()),
                                        static_cast<int>(packed.size()));
  if (size <= 0 || static_cast<std::size_t>(size) >= body.size()) return false;
  packed = packed.substr(0, static_cast<std::size_t>(size));  // of no more capacity
  return true;
}

}  // namespace

std::size_t Kept::size() const {
  return kEntryOverhead + answer.content_type.capacity() + answer.padded.capacity() +
         packed.capacity() + tenant.capacity() + model.capacity();
}

std::shared_ptr<Kept> pack(StoredAnswer answer) {
  auto kept = std::allocate_shared<Kept>(Recycled<Kept>());
  RecycledString& body = answer.padded;
  kept->plain_size = static_cast<std::uint32_t>(body.size());
  if (body.size() >= kWorthCompressing && compress(body, kept->packed)) {
    kept->compressed = true;
    RecycledString().swap(body);
  } else {
    std::string().swap(kept->packed);
    body.append(StoredAnswer::kPadding, '\0');
    // What came in pieces has grown by doubling.
    if (body.capacity() > body.size() + body.size() / 4) body.shrink_to_fit();
  }
  kept->answer = std::move(answer);
  return kept;
}

std::shared_ptr<const StoredAnswer> unpack(std::shared_ptr<const Kept> kept) {
  if (!kept->compressed) {
    if (kept->answer.padded.size() != kept->plain_size + StoredAnswer::kPadding) return nullptr;
    const StoredAnswer* answer = &kept->answer;
    return {std::move(kept), answer};
  }
  auto answer = std::make_shared<StoredAnswer>();
  answer->content_type = kept->answer.content_type;
  answer->streamed = kept->answer.streamed;
  answer->padded.resize(kept->plain_size + StoredAnswer::kPadding);
  const int size = LZ4_decompress_safe(kept->packed.data(), answer->padded.data(),
                                       static_cast<int>(kept->packed.size()),
                                       static_cast<int>(kept->plain_size));
  if (size < 0 || static_cast<std::uint32_t>(size) != kept->plain_size) return nullptr;
  return answer;
}

std::string written(const Kept& kept) {
  Head head;
  head.plain_size = kept.plain_size;
  head.type_size =
      static_cast<std::uint16_t>(std::min<std::size_t>(kept.answer.content_type.size(), 512));
  head.compressed = kept.compressed;
  head.streamed = kept.answer.streamed;
  std::string out(reinterpret_cast<const char*>(&head), sizeof head);
  out.append(kept.answer.content_type, 0, head.type_size);
  return out += kept.bytes();
}

bool read_written(std::string_view text, Kept& kept) {
  Head head;
  if (text.size() < sizeof head) return false;
  std::memcpy(&head, text.data(), sizeof head);
  text.remove_prefix(sizeof head);
  if (text.size() < head.type_size) return false;
  kept.answer.content_type = text.substr(0, head.type_size);
  kept.answer.streamed = head.streamed != 0;
  text.remove_prefix(head.type_size);
  kept.plain_size = head.plain_size;
  kept.compressed = head.compressed != 0;
  if (kept.compressed) {
    kept.packed = text;
  } else {
    kept.answer.padded.reserve(text.size() + StoredAnswer::kPadding);
    kept.answer.padded = text;
    kept.answer.padded.append(StoredAnswer::kPadding, '\0');
  }
  return true;
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
  part.order.push_front({key, std::move(kept)});
  const auto [place, is_new] = part.entries.try_emplace(key, part.order.begin());
  if (!is_new) {
    const auto before = std::exchange(place->second, part.order.begin());
    part.bytes -= before->kept->size();
    part.order.erase(before);
  }
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

std::size_t Memory::clear(std::string_view tenant, std::string_view model, Wall made_by) {
  std::size_t cleared = 0;
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (auto at = part.order.begin(); at != part.order.end();) {
      const auto entry = at++;
      if (!tenant.empty() && entry->kept->tenant != tenant) continue;
      if (!model.empty() && entry->kept->model != model) continue;
      if (entry->kept->made > made_by) continue;
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

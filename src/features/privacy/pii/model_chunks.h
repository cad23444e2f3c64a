// Which parts of a text the names model is asked about: only sentences in which something may be a
// name. The same text always gives the same parts.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace causeway::pii {

/// No more bytes than the model has places for pieces of words.
inline constexpr std::size_t kMostChunk = 480;

/// Bytes of a text: sentences one behind the other, at most kMostChunk.
struct Chunk {
  std::uint32_t begin = 0, end = 0;
};

/// Replaces `out`: in order, not overlapping.
void find_chunks(std::string_view text, std::vector<Chunk>& out);

}  // namespace causeway::pii

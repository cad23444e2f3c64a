#include "platform/http/detail/workspace.h"

#include <malloc.h>

#include <algorithm>

namespace causeway::http::detail {

std::unique_ptr<Workspace> WorkspacePool::take() {
  if (spare_.empty()) {
    unused_ = 0;
    return std::make_unique<Workspace>(limits_);
  }
  auto workspace = std::move(spare_.back());
  spare_.pop_back();
  unused_ = std::min(unused_, spare_.size());
  return workspace;
}

void WorkspacePool::give(std::unique_ptr<Workspace> workspace) {
  constexpr std::size_t kMaxOut = 8 * 1024;
  // What one large head made large is not kept.
  if (workspace->capacity() > Workspace::kCapacity || workspace->out.capacity() > kMaxOut) return;
  spare_.push_back(std::move(workspace));
}

void WorkspacePool::trim() {
  const std::size_t surplus = std::min(unused_, spare_.size());
  const std::size_t release = surplus > kKept ? (surplus - kKept + 1) / 2 : 0;
  spare_.resize(spare_.size() - release);
  released_ += release;
  unused_ = spare_.size();
  constexpr std::size_t kWorthTelling = 256;  // 4 MiB
  if (release == 0 && released_ >= kWorthTelling) {
    released_ = 0;
    malloc_trim(0);  // freed memory does not leave the process by itself
  }
}

}  // namespace causeway::http::detail

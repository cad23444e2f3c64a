#include "platform/redis/reply.h"

#include <hiredis/read.h>

#include <utility>

namespace causeway::redis {

std::string_view Reply::error_code() const {
  return is_error() ? std::string_view(text).substr(0, text.find(' ')) : std::string_view();
}

// hiredis builds a reply from the root down and fills one item after the other, so that the place
// of an item that is being filled does not move.
struct ReplyReader::Impl {
  Reply root;
  std::size_t items = 0, bytes = 0;  // of the reply in progress
  redisReader* reader = nullptr;

  Reply* place(const redisReadTask* task) {
    if (!task->parent) {
      root = Reply();
      items = 0;
      return &root;
    }
    if (++items > kMostItems) return nullptr;
    return &static_cast<Reply*>(task->parent->obj)->items.emplace_back();
  }
  static Impl& of(const redisReadTask* task) { return *static_cast<Impl*>(task->privdata); }

  static void* text(const redisReadTask* task, char* bytes, std::size_t size) {
    Reply* reply = of(task).place(task);
    if (!reply) return nullptr;
    reply->kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::Error
                  : task->type == REDIS_REPLY_STATUS ? Reply::Kind::Status
                                                     : Reply::Kind::Text;
    reply->text.assign(bytes, size);
    return reply;
  }
  static void* array(const redisReadTask* task,
                     int) {  // the size is only said: nothing is reserved
    Reply* reply = of(task).place(task);
    if (reply) reply->kind = Reply::Kind::Array;
    return reply;
  }
  static void* integer(const redisReadTask* task, long long value) {
    Reply* reply = of(task).place(task);
    if (!reply) return nullptr;
    reply->kind = Reply::Kind::Integer;
    reply->integer = value;
    return reply;
  }
  static void* nil(const redisReadTask* task) { return of(task).place(task); }
  static void nothing(void*) {}  // all of it is root's

  inline static redisReplyObjectFunctions functions{text, array, integer, nil, nothing};
};

ReplyReader::ReplyReader() : impl_(std::make_unique<Impl>()) {
  impl_->reader = redisReaderCreateWithFunctions(&Impl::functions);
  impl_->reader->privdata = impl_.get();  // hiredis's macro for it is not C++
}

ReplyReader::~ReplyReader() { redisReaderFree(impl_->reader); }

void ReplyReader::feed(std::string_view bytes) {
  impl_->bytes += bytes.size();
  redisReaderFeed(impl_->reader, bytes.data(), bytes.size());
}

Result<bool> ReplyReader::next(Reply& out) {
  void* reply = nullptr;
  if (redisReaderGetReply(impl_->reader, &reply) != REDIS_OK) {
    auto failed =
        fail(ErrorKind::UpstreamBroken, Origin::Upstream,
             "the shared state's server sent what is not its protocol", "shared_state_lost");
    failed.error().detail = redisReaderGetError(impl_->reader);
    return failed;
  }
  if (reply) {
    impl_->bytes = impl_->reader->len - impl_->reader->pos;
    out = std::exchange(impl_->root, {});
    return true;
  }
  if (impl_->bytes > kMostBytes) {
    return fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                "the shared state's server sent an answer that is too large", "shared_state_lost");
  }
  return false;
}

}  // namespace causeway::redis

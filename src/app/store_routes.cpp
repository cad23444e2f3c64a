#include "app/store_routes.h"

#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

using Post = std::function<void(std::move_only_function<void()>)>;

Task<AdminReply> rotate_key(store::Sealed& sealed, WorkerGroup& workers, Post post) {
  auto job = [&sealed] { return sealed.rotate(); };
  auto task = offload(workers, std::move(post), std::move(job));
  auto wrapped = co_await std::move(task);
  if (!wrapped) co_return admin_error(wrapped.error());
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().field("data_keys", static_cast<std::uint64_t>(*wrapped)).end_object();
  co_return reply;
}

}  // namespace

std::vector<AdminRoute> store_routes(store::Sealed& sealed, WorkerGroup& workers, Post post) {
  return {{http::Method::Post, "/api/store/rotate-key",
           "A new master key; every data key is wrapped by it, and old records stay readable.",
           true, [&sealed, &workers, post = std::move(post)](AdminRequest) {
             return rotate_key(sealed, workers, post);
           }}};
}

}  // namespace causeway::app

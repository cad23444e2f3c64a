#include "features/access/keys/feature.h"

#include <utility>

#include "features/access/keys/json.h"
#include "platform/text/json_writer.h"

namespace causeway::keys {
namespace {

using RecordPtr = std::shared_ptr<const KeyRecord>;

// Jobs return Result<T>; the key's id and name are the same to the ring.
const std::string& id_of(const AdminRequest& request) { return request.params.at("id"); }

}  // namespace

KeysFeature::KeysFeature(KeyRing& ring, SlotLayout& slots, WorkerGroup& workers, Post post,
                         const Clock& clock)
    : ring_(ring), identify_(slots), workers_(workers), post_(std::move(post)), clock_(clock) {}

std::vector<AdminRoute> KeysFeature::routes() {
  using http::Method;
  std::vector<AdminRoute> routes;
  const auto add = [&](Method method, std::string path, std::string summary, bool changes,
                       Task<AdminReply> (KeysFeature::*handle)(AdminRequest)) {
    routes.push_back(
        {method, std::move(path), std::move(summary), changes,
         [this, handle](AdminRequest request) { return (this->*handle)(std::move(request)); }});
  };
  add(Method::Get, "/api/keys", "All keys, without their secrets.", false, &KeysFeature::list);
  add(Method::Post, "/api/keys", "Makes a key; the reply is the only place that shows it.", true,
      &KeysFeature::create);
  add(Method::Get, "/api/keys/{id}", "One key, by id or by name.", false, &KeysFeature::get);
  add(Method::Post, "/api/keys/{id}/rotate",
      "A new secret for a key; the old one stays valid for a grace time.", true,
      &KeysFeature::rotate);
  add(Method::Patch, "/api/keys/{id}", "Sets or takes away a key's expiry.", true,
      &KeysFeature::set_expiry);
  add(Method::Delete, "/api/keys/{id}",
      "Revokes a key: when this replies, no request is accepted with it any more.", true,
      &KeysFeature::revoke);
  return routes;
}

std::vector<Verb> KeysFeature::verbs() { return {keys_verb()}; }

AdminReply KeysFeature::show(const KeyRecord& record, int status) const {
  AdminReply reply;
  reply.status = status;
  text::JsonWriter json(reply.body);
  json.begin_object();
  write_key(json, record, clock_.wall());
  json.end_object();
  return reply;
}

AdminReply KeysFeature::show_once(const CreatedKey& created, int status) const {
  AdminReply reply;
  reply.status = status;
  text::JsonWriter json(reply.body);
  json.begin_object();
  json.field("key", created.text.reveal());
  write_key(json, *created.record, clock_.wall());
  json.end_object();
  return reply;
}

// The ring's lock may be held by a change that waits for the disk, so reading goes to a worker too.
Task<AdminReply> KeysFeature::list(AdminRequest) {
  auto job = [this]() -> Result<std::vector<RecordPtr>> { return ring_.list(); };
  auto task = offload(workers_, post_, std::move(job));
  auto records = co_await std::move(task);
  if (!records) co_return admin_error(records.error());
  AdminReply reply;
  text::JsonWriter json(reply.body);
  json.begin_object().key("keys").begin_array();
  for (const RecordPtr& record : *records) {
    json.begin_object();
    write_key(json, *record, clock_.wall());
    json.end_object();
  }
  json.end_array().end_object();
  co_return reply;
}

Task<AdminReply> KeysFeature::get(AdminRequest request) {
  auto job = [this, id = id_of(request)] { return ring_.get(id); };
  auto task = offload(workers_, post_, std::move(job));
  auto record = co_await std::move(task);
  if (!record) co_return admin_error(record.error());
  co_return show(**record, 200);
}

Task<AdminReply> KeysFeature::create(AdminRequest request) {
  auto key = read_new_key(request.body, clock_.wall());
  if (!key) co_return admin_error(key.error());
  auto job = [this, wanted = std::move(*key)] { return ring_.create(wanted); };
  auto task = offload(workers_, post_, std::move(job));
  auto created = co_await std::move(task);
  if (!created) co_return admin_error(created.error());
  co_return show_once(*created, 201);
}

Task<AdminReply> KeysFeature::rotate(AdminRequest request) {
  auto grace = read_grace(request.body);
  if (!grace) co_return admin_error(grace.error());
  auto job = [this, id = id_of(request), time = *grace] { return ring_.rotate(id, time); };
  auto task = offload(workers_, post_, std::move(job));
  auto rotated = co_await std::move(task);
  if (!rotated) co_return admin_error(rotated.error());
  co_return show_once(*rotated, 200);
}

Task<AdminReply> KeysFeature::revoke(AdminRequest request) {
  auto job = [this, id = id_of(request)]() -> Result<RecordPtr> {
    auto record = ring_.get(id);
    if (!record) return record;
    const std::string key_id = (*record)->principal.key_id;
    if (auto done = ring_.revoke(key_id); !done) return pass(std::move(done));
    return ring_.get(key_id);
  };
  auto task = offload(workers_, post_, std::move(job));
  auto record = co_await std::move(task);
  if (!record) co_return admin_error(record.error());
  co_return show(**record, 200);
}

Task<AdminReply> KeysFeature::set_expiry(AdminRequest request) {
  auto expiry = read_expiry(request.body, clock_.wall());
  if (!expiry) co_return admin_error(expiry.error());
  auto job = [this, id = id_of(request), expires = *expiry]() -> Result<RecordPtr> {
    auto record = ring_.get(id);
    if (!record) return record;
    const std::string key_id = (*record)->principal.key_id;
    if (auto done = ring_.set_expiry(key_id, expires); !done) return pass(std::move(done));
    return ring_.get(key_id);
  };
  auto task = offload(workers_, post_, std::move(job));
  auto record = co_await std::move(task);
  if (!record) co_return admin_error(record.error());
  co_return show(**record, 200);
}

}  // namespace causeway::keys

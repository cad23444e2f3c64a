// The background job that asks providers which models they have.
#include <simdjson.h>

#include "app/program.h"
#include "core/provider.h"
#include "platform/net/loop.h"

namespace causeway::app {
namespace {

constexpr std::size_t kMostBytes = 16 * 1024 * 1024;
constexpr std::size_t kAsked = 3;  // members, where the first do not answer

std::vector<std::string> names_in(std::string_view body) {
  std::vector<std::string> names;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array data;
  if (parser.parse(simdjson::padded_string(body)).get(root)) return names;
  // OpenAI's and Anthropic's form, else Google's.
  if (root["models"].get_array().get(data) == simdjson::SUCCESS) {
    constexpr std::string_view kPrefix = "models/";
    for (const auto model : data) {
      std::string_view name;
      if (model["name"].get_string().get(name)) continue;
      if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
      names.emplace_back(name);
    }
    return names;
  }
  if (root["data"].get_array().get(data)) return names;
  for (const auto model : data) {
    std::string_view id;
    if (!model["id"].get_string().get(id)) names.emplace_back(id);
  }
  return names;
}

// Asks one member of a provider.
Task<bool> list_one(http::Client& client, const Provider& provider, ModelListing& listing,
                    Cancel& cancel) {
  auto call = provider.listing_call();
  if (!call) co_return false;
  http::ClientRequest request;
  request.method = "GET";
  request.target = call->target;
  request.fields = call->fields;
  request.timeouts.connect = std::chrono::seconds(5);
  request.timeouts.first_byte = std::chrono::seconds(15);
  request.timeouts.total = std::chrono::seconds(30);
  auto answer = co_await client.call(*call->endpoint, request, cancel);
  if (!answer || (*answer)->head().status != 200) co_return false;
  auto body = co_await (*answer)->read_all(kMostBytes);
  if (body) listing.set(names_in(*body));
  co_return body.has_value();
}

// `running` are those that may have to be cancelled.
// The first member that answers speaks for all; what was known stays where none does.
Task<void> list_among(http::Client& client, std::shared_ptr<const Snapshot> /*kept alive*/,
                      const ProviderMembers& members, std::shared_ptr<ModelListing> listing,
                      std::list<Cancel>& running) {
  const auto mine = running.emplace(running.end());
  for (const Member& member : std::span(members.all).first(std::min(kAsked, members.all.size()))) {
    const bool listed = co_await list_one(client, *member.provider, *listing, *mine);
    if (listed || mine->requested()) break;
  }
  running.erase(mine);
}

}  // namespace

void Program::list_models() {
  const auto snapshot = latest_snapshot_;
  for (const auto& [name, members] : snapshot->providers) {
    const bool exposed = std::any_of(snapshot->exposed.begin(), snapshot->exposed.end(),
                                     [&](const auto& entry) { return entry.members == &members; });
    if (!exposed) continue;
    spawn(list_among(*control_client_, snapshot, members, listings_.of(name), listing_calls_));
  }
}

}  // namespace causeway::app

#include "features/insight/playground/asked.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/dialect.h"
#include "features/insight/playground/feature.h"
#include "platform/text/percent.h"

namespace causeway::playground {
namespace {

namespace bj = boost::json;

constexpr std::size_t kLongestName = 128, kMostRoles = 64;

std::unexpected<Error> refuse(const std::string& why, std::string param) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, why, "playground");
  error.error().param = std::move(param);
  return error;
}

Result<void> take_text(const bj::object& from, bj::string_view name, std::string& into) {
  const bj::value* value = from.if_contains(name);
  if (!value || value->is_null()) return {};
  if (!value->is_string()) {
    return refuse("\"" + std::string(name) + "\" is a text", std::string(name));
  }
  into = std::string_view(value->as_string());
  return {};
}

// Names stand in traces, usage and logs.
bool is_name(std::string_view text) {
  return text.size() <= kLongestName &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<void> take_principal(const bj::object& from, Principal& principal) {
  if (auto taken = take_text(from, "tenant", principal.tenant); !taken) return taken;
  if (auto taken = take_text(from, "user", principal.user); !taken) return taken;
  for (const std::string* name : {&principal.tenant, &principal.user}) {
    if (!is_name(*name)) return refuse("a name has at most 128 bytes, in one line", "tenant");
  }
  const bj::value* roles = from.if_contains("roles");
  if (!roles || roles->is_null()) return {};
  if (!roles->is_array() || roles->as_array().size() > kMostRoles) {
    return refuse("\"roles\" is a list of at most 64 names", "roles");
  }
  for (const bj::value& role : roles->as_array()) {
    if (!role.is_string() || !is_name(std::string_view(role.as_string()))) {
      return refuse("\"roles\" is a list of at most 64 names", "roles");
    }
    principal.roles.emplace_back(std::string_view(role.as_string()));
  }
  return {};
}

Result<void> take_request(const bj::object& from, Asked& asked) {
  asked.path = "/v1/chat/completions";
  if (auto taken = take_text(from, "path", asked.path); !taken) return taken;
  if (!asked.path.starts_with("/v1")) {
    return refuse("\"path\" is that of an operation, such as /v1/chat/completions", "path");
  }
  const bj::value* body = from.if_contains("body");
  if (!body || !body->is_object()) {
    return refuse("\"body\" is the request, an object as the path's API has it", "body");
  }
  asked.body = bj::serialize(*body);
  return {};
}

Result<void> take_replay(const bj::object& from, Asked& asked) {
  if (auto taken = take_text(from, "trace", asked.trace); !taken) return taken;
  if (asked.trace.empty()) return refuse("\"trace\" is a request id", "trace");
  if (from.contains("body")) return refuse("either \"trace\" or \"body\", not both", "body");
  if (auto taken = take_text(from, "model", asked.model); !taken) return taken;
  const bj::value* stream = from.if_contains("stream");
  if (!stream || stream->is_null()) return {};
  if (!stream->is_bool()) return refuse("\"stream\" is true or false", "stream");
  asked.stream = stream->get_bool();
  return {};
}

const Operation* operation_of(const Recorded& recorded, const Operations& operations,
                              bool streamed) {
  const Operation* found = nullptr;
  for (const Operation& one : operations.all()) {
    if (one.body != BodyKind::Json || one.dialect->name() != recorded.dialect ||
        to_string(one.kind) != recorded.operation) {
      continue;
    }
    // Where the path says whether an answer is streamed there are two.
    const bool for_streams = one.path.find(":stream") != std::string::npos;
    if (!found || for_streams == streamed) found = &one;
  }
  return found;
}

}  // namespace

Result<Asked> read_asked(const AdminRequest& request) {
  bj::error_code failed;
  const bj::value value = bj::parse(request.body, failed);
  if (failed || !value.is_object()) return refuse("the body is an object with \"body\"", "");
  const bj::object& object = value.as_object();
  Asked asked;
  asked.principal.key_id = kKey;
  asked.principal.key_name = kKey;
  asked.principal.attributes["operator"] = request.actor;
  asked.principal.models = {"*"};
  if (auto taken = take_principal(object, asked.principal); !taken) return pass(std::move(taken));
  if (const bj::value* explain = object.if_contains("explain"); explain && !explain->is_null()) {
    if (!explain->is_bool()) return refuse("\"explain\" is true or false", "explain");
    asked.explain = explain->get_bool();
  }
  auto taken = object.contains("trace") ? take_replay(object, asked) : take_request(object, asked);
  if (!taken) return pass(std::move(taken));
  return asked;
}

Result<void> take_recorded(Asked& asked, const Recorded& recorded, const Operations& operations) {
  if (recorded.request_cut) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "The request was too long to be kept whole; it cannot be sent again.",
                "request_cut");
  }
  const std::string model = asked.model.empty() ? recorded.model : asked.model;
  const bool streamed = asked.stream.value_or(recorded.streamed);
  const Operation* operation = operation_of(recorded, operations, streamed);
  bj::error_code failed;
  bj::value body = bj::parse(recorded.request, failed);
  if (!operation || failed || !body.is_object()) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                "A request of this operation cannot be sent again.", "not_replayable");
  }
  asked.path = operation->path;
  if (const auto star = asked.path.find('*'); star != std::string::npos) {
    asked.path.replace(star, 1, text::percent_encoded(model));
    if (asked.path.ends_with(":streamGenerateContent")) asked.path += "?alt=sse";
  } else {
    body.as_object()["model"] = model;
    if (asked.stream) body.as_object()["stream"] = streamed;
    if (!streamed) body.as_object().erase("stream_options");
  }
  asked.body = bj::serialize(body);
  // What one tenant said is not sealed for another, nor looked at by its policies.
  if (!asked.principal.tenant.empty() && asked.principal.tenant != recorded.tenant) {
    return refuse("a recorded request stays with its tenant", "tenant");
  }
  asked.principal.tenant = recorded.tenant;
  return {};
}

}  // namespace causeway::playground

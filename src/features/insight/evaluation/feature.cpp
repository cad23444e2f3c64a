#include "features/insight/evaluation/feature.h"

#include <boost/json.hpp>

#include "platform/text/json_writer.h"

namespace causeway::evaluation {
namespace {

namespace bj = boost::json;

struct Wanted {
  std::string trace, note;
};

std::unexpected<Error> refuse(const char* why, const char* param) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client, why, "test_case");
  error.error().param = param;
  return error;
}

Result<Wanted> read_wanted(const std::string& body) {
  bj::error_code failed;
  const bj::value value = bj::parse(body, failed);
  if (failed || !value.is_object()) return refuse("the body is an object with \"trace\"", "");
  const bj::value* trace = value.as_object().if_contains("trace");
  if (!trace || !trace->is_string()) return refuse("\"trace\" is a request id", "trace");
  Wanted wanted{std::string(std::string_view(trace->as_string())), {}};
  if (const bj::value* note = value.as_object().if_contains("note")) {
    if (!note->is_string() || note->as_string().size() > TestCases::kMostNote) {
      return refuse("\"note\" is a text of at most 2,000 bytes", "note");
    }
    wanted.note = std::string_view(note->as_string());
  }
  return wanted;
}

void write_open(text::JsonWriter& json, const TestCase& one) {
  json.begin_object().field("id", one.id).field("trace", one.trace);
  json.field("tenant", one.tenant).field("model", one.model);
  json.field("operation", one.operation).field("dialect", one.dialect);
  json.field("made_by", one.made_by).field("made_at", one.made_at);
}

}  // namespace

std::vector<AdminRoute> EvaluationFeature::routes() {
  using http::Method;
  return {
      {Method::Get, "/api/test-cases", "Exchanges that were marked as test cases, newest first.",
       false,
       [this](AdminRequest request) {
         return reply_of(
             [this, full = request.full]() -> Result<std::string> {
               auto cases = cases_.all();
               if (!cases) return pass(std::move(cases));
               std::string body;
               text::JsonWriter json(body);
               json.begin_object().key("test_cases").begin_array();
               for (const TestCase& one : *cases) {
                 write_open(json, one);
                 if (full) json.field("note", one.note);
                 json.end_object();
               }
               json.end_array().end_object();
               return body;
             },
             200);
       }},
      {Method::Post, "/api/test-cases",
       "Marks an exchange as a test case: {\"trace\": request id, \"note\"}; its trace must have "
       "contents.",
       true,
       [this](AdminRequest request) {
         return reply_of(
             [this, request = std::move(request)]() -> Result<std::string> {
               auto wanted = read_wanted(request.body);
               if (!wanted) return pass(std::move(wanted));
               auto recorded = parts_.recorded(wanted->trace);
               if (!recorded) return pass(std::move(recorded));
               auto added = cases_.add(*recorded, std::move(wanted->note), request.actor);
               if (!added) return pass(std::move(added));
               std::string body;
               text::JsonWriter json(body);
               write_open(json, *added);
               json.field("note", added->note).end_object();
               return body;
             },
             201);
       }},
      {Method::Get, "/api/test-cases/{id}",
       "One test case, with what was said in it for full admin keys.", false,
       [this](AdminRequest request) {
         return reply_of(
             [this, id = request.params["id"], full = request.full]() -> Result<std::string> {
               auto one = cases_.one(id);
               if (!one) return pass(std::move(one));
               std::string body;
               text::JsonWriter json(body);
               write_open(json, *one);
               if (full) json.field("note", one->note).key("contents").raw(one->contents);
               json.end_object();
               return body;
             },
             200);
       }},
      {Method::Delete, "/api/test-cases/{id}", "Removes a test case; the trace stays as it is.",
       true, [this](AdminRequest request) {
         return reply_of(
             [this, id = request.params["id"]]() -> Result<std::string> {
               if (auto gone = cases_.remove(id); !gone) return pass(std::move(gone));
               return R"({"status":"removed"})";
             },
             200);
       }}};
}

Task<AdminReply> EvaluationFeature::reply_of(std::move_only_function<Result<std::string>()> job,
                                             int status) {
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  auto body = co_await std::move(task);
  if (!body) co_return admin_error(body.error());
  AdminReply reply;
  reply.status = status;
  reply.body = std::move(*body);
  co_return reply;
}

}  // namespace causeway::evaluation

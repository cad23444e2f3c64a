#include "dialects/gemini/vertex.h"

#include <simdjson.h>

#include <algorithm>

#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

namespace od = json::od;
using json::each_element, json::each_member;
using text::JsonWriter;

/// What `raw` holds in an object of its own becomes members of the request itself.
void unwrap(std::string_view raw, Request& request) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(raw)).get_object().get(object)) return;
  for (const auto& [name, value] : object) {
    if (name != "model") request.set_member(name, simdjson::minify(value));
  }
}

/// Writes what the request says beside its texts. The fields of the two forms have the same names.
class Settings {
 public:
  Settings(const EmbeddingRequest& request, LeftOut& left_out) : request_(request) {
    if (!request.user.empty()) left_out.hints.push_back("user");
    for (const auto& other : request.others) {
      const bool known = other.hint && !other.value.empty() && (other.field != "title" || alone());
      if (known) continue;
      (other.hint ? left_out.hints : left_out.fields).push_back(other.field);
    }
  }

  void field(JsonWriter& json, std::string_view field, std::string_view name) const {
    for (const auto& other : request_.others) {
      if (other.field != field || !other.hint || other.value.empty()) continue;
      json.key(name).raw(other.value);
    }
  }
  void title(JsonWriter& json) const {
    if (alone()) field(json, "title", "title");
  }
  void dimensions(JsonWriter& json) const {
    if (request_.dimensions) json.field("outputDimensionality", *request_.dimensions);
  }

 private:
  // A title belongs to one text.
  bool alone() const { return request_.inputs.size() == 1; }

  const EmbeddingRequest& request_;
};

void write_content(JsonWriter& json, const std::string& text, const Settings& settings) {
  json.begin_object().key("content").begin_object().key("parts").begin_array();
  json.begin_object().field("text", text).end_object().end_array().end_object();
  json.key("embedContentConfig").begin_object();
  settings.field(json, "taskType", "taskType");
  settings.title(json);
  settings.field(json, "autoTruncate", "autoTruncate");
  settings.dimensions(json);
  json.end_object().end_object();
}

void write_instances(JsonWriter& json, const EmbeddingRequest& request, const Settings& settings) {
  json.begin_object().key("instances").begin_array();
  for (const auto& input : request.inputs) {
    json.begin_object().field("content", input);
    settings.field(json, "taskType", "task_type");
    settings.title(json);
    json.end_object();
  }
  json.end_array().key("parameters").begin_object();
  settings.field(json, "autoTruncate", "autoTruncate");
  settings.dimensions(json);
  json.end_object().end_object();
}

void read_statistics(od::value statistics, Usage& usage) {
  each_member(statistics, [&](std::string_view key, od::value value) {
    const auto tokens = key == "token_count" ? json::integer_of(value) : std::nullopt;
    if (!tokens || *tokens < 0) return;
    usage.source = UsageSource::Reported;
    usage.input_uncached += static_cast<std::uint32_t>(*tokens);
  });
}

/// {"predictions":[{"embeddings":{"values":[…],"statistics":{"token_count":3}}}]}
void read_predictions(od::value predictions, EmbeddingAnswer& answer) {
  each_element(predictions, [&](od::value prediction) {
    each_member(prediction, [&](std::string_view name, od::value embeddings) {
      if (name != "embeddings") return;
      each_member(embeddings, [&](std::string_view key, od::value value) {
        if (key == "values" && value.type() == od::json_type::array) {
          answer.vectors.emplace_back(json::raw_of(value));
        } else if (key == "statistics") {
          read_statistics(value, answer.usage);
        }
      });
    });
  });
}

}  // namespace

std::string_view embedding_method(std::string_view model, std::size_t inputs) {
  if (model.find("gemini") == model.npos) return kPredict;
  return inputs == 1 ? kEmbed : kEmbedBatch;
}

void VertexDialect::address(const Operation&, std::string_view, bool, Request& request) const {
  const auto& messages = request.index().messages;
  for (std::size_t at = 0; at < messages.size(); ++at) {
    if (!messages[at].names_role) request.add_to_message(at, "role", R"("user")");
  }
  request.remove_member("model");
  for (const char* name : {"generateContentRequest", "generate_content_request"}) {
    const auto inner = request.member(name);
    if (!inner) continue;
    unwrap(*inner, request);
    request.remove_member(name);
  }
}

Result<std::string> VertexDialect::encode_embedding(const EmbeddingRequest& request,
                                                    std::string_view upstream_model,
                                                    LeftOut& left_out) const {
  std::string out;
  JsonWriter json(out);
  const Settings settings(request, left_out);
  const auto method = embedding_method(upstream_model, request.inputs.size());
  if (method == kPredict) {
    write_instances(json, request, settings);
  } else if (method == kEmbed) {
    write_content(json, request.inputs.front(), settings);
  } else {
    json.begin_object().key("requests").begin_array();
    for (const auto& input : request.inputs) write_content(json, input, settings);
    json.end_array().end_object();
  }
  return out;
}

Result<EmbeddingAnswer> VertexDialect::decode_vectors(std::string_view body) const {
  EmbeddingAnswer answer;
  try {
    json::with_parser(body.size(), [&](od::parser& parser) {
      od::document document =
          parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
      each_member(json::take(document.get_object()), [&](std::string_view key, od::value value) {
        if (key == "predictions") read_predictions(value, answer);
      });
    });
  } catch (const simdjson::simdjson_error&) {
    answer.vectors.clear();
  }
  if (!answer.vectors.empty()) return answer;
  return GeminiDialect::decode_vectors(body);
}

}  // namespace causeway::gemini

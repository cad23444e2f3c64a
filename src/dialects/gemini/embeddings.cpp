// Embeddings: batchEmbedContents towards Google, which every embedding model knows; towards
// applications also embedContent, one text at a time.
#include <string>
#include <utility>

#include "core/request_body.h"
#include "dialects/gemini/dialect.h"
#include "dialects/gemini/usage.h"
#include "dialects/gemini/words.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

using json::each_element, json::each_member, json::text_of;

template <class Fn>
void each_field(od::value value, Fn fn) {
  each_member(value, [&](std::string_view key, od::value member) {
    std::string storage;
    if (!json::is_null(member)) fn(camel(key, storage), member);
  });
}

class Decoder {
 public:
  explicit Decoder(std::string_view model) { request_.model = model; }

  EmbeddingRequest run(od::object body) {
    each_member(body, [&](std::string_view key, od::value value) {
      std::string storage;
      const std::string_view name = camel(key, storage);
      if (json::is_null(value)) return;
      if (name == "requests") {
        each_element(value, [&](od::value one) {
          each_field(one, [&](std::string_view inner, od::value member) { field(inner, member); });
        });
      } else {
        field(name, value);
      }
    });
    return std::move(request_);
  }

 private:
  void field(std::string_view name, od::value value) {
    if (name == "content") {
      request_.inputs.emplace_back();
      each_field(value, [&](std::string_view inner, od::value parts) {
        if (inner != "parts") return;
        if (parts.type() == od::json_type::object) return read_part(parts);
        each_element(parts, [&](od::value part) { read_part(part); });
      });
    } else if (name == "outputDimensionality") {
      const auto number = json::integer_of(value);
      if (number && *number > 0) request_.dimensions = static_cast<std::uint32_t>(*number);
    } else if (name == "embedContentConfig") {
      each_field(value, [&](std::string_view inner, od::value one) { field(inner, one); });
    } else if (name != "model") {
      other(name, value);
    }
  }

  // What a text is for changes its vector only at Google: other models have no such thing. What is
  // not the same for all texts is kept without a value.
  void other(std::string_view name, od::value value) {
    const bool hint = name == "taskType" || name == "title" || name == "autoTruncate";
    const std::string_view raw = json::raw_of(value);
    for (auto& known : request_.others) {
      if (known.field != name) continue;
      if (known.value != raw) known.value.clear();
      return;
    }
    request_.others.push_back({std::string(name), RawJson(raw), hint});
  }

  void read_part(od::value part) {
    each_field(part, [&](std::string_view name, od::value value) {
      if (name != "text") {
        throw Untranslatable{"content", "only texts can be embedded by another dialect's models"};
      }
      request_.inputs.back() += text_of(value);
    });
  }

  EmbeddingRequest request_;
};

void write_usage(text::JsonWriter& json, const Usage& usage) {
  if (usage.source == UsageSource::None) return;
  json.key("usageMetadata").begin_object();
  json.field("promptTokenCount", usage.input()).field("totalTokenCount", usage.input());
  json.end_object();
}

}  // namespace

Result<EmbeddingRequest> GeminiDialect::decode_embedding(const Operation&,
                                                         const Request& request) const {
  return decode_with<EmbeddingRequest>(
      request, [&](od::object body) { return Decoder(request.model()).run(body); });
}

Result<std::string> GeminiDialect::encode_embedding(const EmbeddingRequest& request,
                                                    std::string_view upstream_model,
                                                    LeftOut& left_out) const {
  std::string out;
  text::JsonWriter json(out);
  const std::string model = resource_of(upstream_model);
  json.begin_object().key("requests").begin_array();
  for (const auto& input : request.inputs) {
    json.begin_object().field("model", model).key("content").begin_object();
    json.key("parts").begin_array().begin_object().field("text", input).end_object().end_array();
    json.end_object();
    if (request.dimensions) json.field("outputDimensionality", *request.dimensions);
    json.end_object();
  }
  json.end_array().end_object();
  if (!request.user.empty()) left_out.hints.push_back("user");
  for (const auto& other : request.others) {
    (other.hint ? left_out.hints : left_out.fields).push_back(other.field);
  }
  return out;
}

Result<EmbeddingAnswer> GeminiDialect::decode_vectors(std::string_view body) const {
  EmbeddingAnswer answer;
  const auto values = [&](od::value embedding) {
    each_member(embedding, [&](std::string_view key, od::value member) {
      if (key == "values" && member.type() == od::json_type::array) {
        answer.vectors.emplace_back(json::raw_of(member));
      }
    });
  };
  try {
    json::with_parser(body.size(), [&](od::parser& parser) {
      od::document document =
          parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
      each_member(json::take(document.get_object()), [&](std::string_view key, od::value value) {
        if (key == "embeddings") each_element(value, values);
        if (key == "embedding") values(value);
        if (key == "usageMetadata" && !json::is_null(value)) answer.usage = read_usage(value);
      });
    });
  } catch (const simdjson::simdjson_error&) {
    answer.vectors.clear();
  }
  if (!answer.vectors.empty()) return answer;
  auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                     "The provider's answer has no embeddings.", "unexpected_answer");
  broken.error().retryable = true;
  return broken;
}

std::string GeminiDialect::encode_vectors(const Operation& operation, const EncoderSettings&,
                                          const EmbeddingAnswer& answer) const {
  std::string out;
  text::JsonWriter json(out);
  const auto write = [&](const RawJson& vector) {
    json.begin_object().key("values").raw(vector).end_object();
  };
  json.begin_object();
  if (operation.path.ends_with(kEmbed)) {
    json.key("embedding");
    write(answer.vectors.front());
  } else {
    json.key("embeddings").begin_array();
    for (const auto& vector : answer.vectors) write(vector);
    json.end_array();
  }
  write_usage(json, answer.usage);
  json.end_object();
  return out;
}

}  // namespace causeway::gemini

// OpenAI's embeddings in the neutral form and back.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "dialects/openai/detail/decoding.h"
#include "dialects/openai/dialect.h"
#include "platform/crypto/text.h"
#include "platform/text/json_writer.h"

namespace causeway::openai {
namespace {

using json::each_element, json::each_member, json::is_string, json::text_of;

void read_input(od::value value, EmbeddingRequest& request) {
  if (is_string(value)) {
    request.inputs.emplace_back(text_of(value));
    return;
  }
  each_element(value, [&](od::value one) {
    if (!is_string(one)) {
      throw Untranslatable{"input", "lists of token ids are known to OpenAI's models only"};
    }
    request.inputs.emplace_back(text_of(one));
  });
}

EmbeddingRequest read_request(od::object body) {
  EmbeddingRequest request;
  each_member(body, [&](std::string_view key, od::value value) {
    if (json::is_null(value) || key == "encoding_format") return;  // told by the request's index
    if (key == "model") {
      request.model = text_of(value);
    } else if (key == "input") {
      read_input(value, request);
    } else if (key == "dimensions") {
      request.dimensions = count_of(value);
    } else if (key == "user") {
      request.user = text_of(value);
    } else {
      request.others.push_back({std::string(key), RawJson(json::raw_of(value)), is_hint(key)});
    }
  });
  return request;
}

// Little-endian 32-bit floats, as OpenAI has them. `vector`: a JSON array of numbers.
std::string base64_of(std::string_view vector) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes;
  simdjson::dom::parser parser;
  simdjson::dom::array numbers;
  if (parser.parse(simdjson::padded_string(vector)).get_array().get(numbers)) return {};
  for (const auto element : numbers) {
    double number = 0;
    (void)element.get_double().get(number);
    const auto value = static_cast<float>(number);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof value);
  }
  std::string text = crypto::to_base64url(bytes);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::unexpected<Error> no_vectors() {
  auto broken = fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                     "The provider's answer has no embeddings.", "unexpected_answer");
  broken.error().retryable = true;
  return broken;
}

/// One vector may stand before another that has a smaller index.
struct Indexed {
  std::int64_t index = 0;
  RawJson vector;
};

void read_vector(od::value value, std::vector<Indexed>& found) {
  Indexed one{static_cast<std::int64_t>(found.size()), {}};
  each_member(value, [&](std::string_view key, od::value member) {
    if (key == "index") one.index = json::integer_of(member).value_or(one.index);
    if (key == "embedding" && member.type() == od::json_type::array) {
      one.vector = json::raw_of(member);
    }
  });
  if (!one.vector.empty()) found.push_back(std::move(one));
}

}  // namespace

Result<EmbeddingRequest> OpenAiDialect::decode_embedding(const Operation&,
                                                         const Request& request) const {
  return decode_with<EmbeddingRequest>(request, read_request);
}

Result<std::string> OpenAiDialect::encode_embedding(const EmbeddingRequest& request,
                                                    std::string_view upstream_model,
                                                    LeftOut& left_out) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("model", upstream_model).key("input").begin_array();
  for (const auto& input : request.inputs) json.string(input);
  json.end_array().field("encoding_format", "float");
  if (request.dimensions) json.field("dimensions", *request.dimensions);
  if (!request.user.empty()) json.field("user", request.user);
  json.end_object();
  for (const auto& other : request.others) {
    (other.hint ? left_out.hints : left_out.fields).push_back(other.field);
  }
  return out;
}

Result<EmbeddingAnswer> OpenAiDialect::decode_vectors(std::string_view body) const {
  EmbeddingAnswer answer;
  std::vector<Indexed> found;
  try {
    json::with_parser(body.size(), [&](od::parser& parser) {
      od::document document =
          parser.iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING);
      each_member(json::take(document.get_object()), [&](std::string_view key, od::value value) {
        if (key == "model") answer.model = text_of(value);
        if (key == "data") each_element(value, [&](od::value one) { read_vector(one, found); });
        if (key != "usage") return;
        each_member(value, [&](std::string_view name, od::value tokens) {
          if (name != "prompt_tokens") return;
          answer.usage.source = UsageSource::Reported;
          answer.usage.input_uncached = count_of(tokens).value_or(0);
        });
      });
    });
  } catch (const simdjson::simdjson_error&) {
    found.clear();
  }
  if (found.empty()) return no_vectors();
  std::stable_sort(found.begin(), found.end(),
                   [](const Indexed& a, const Indexed& b) { return a.index < b.index; });
  for (auto& one : found) answer.vectors.push_back(std::move(one.vector));
  return answer;
}

std::string OpenAiDialect::encode_vectors(const Operation&, const EncoderSettings& settings,
                                          const EmbeddingAnswer& answer) const {
  const bool base64 = settings.request && settings.request->index().base64_embeddings;
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().field("object", "list").key("data").begin_array();
  for (std::size_t i = 0; i < answer.vectors.size(); ++i) {
    json.begin_object().field("object", "embedding").field("index", i).key("embedding");
    if (base64) {
      json.string(base64_of(answer.vectors[i]));
    } else {
      json.raw(answer.vectors[i]);
    }
    json.end_object();
  }
  json.end_array();
  json.field("model", answer.model.empty() ? settings.model : std::string_view(answer.model));
  if (answer.usage.source != UsageSource::None) {
    json.key("usage").begin_object().field("prompt_tokens", answer.usage.input());
    json.field("total_tokens", answer.usage.input()).end_object();
  }
  json.end_object();
  return out;
}

}  // namespace causeway::openai

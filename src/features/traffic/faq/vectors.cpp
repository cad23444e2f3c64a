#include "features/traffic/faq/vectors.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "platform/text/json_writer.h"

namespace causeway::faq {
namespace {

namespace bj = boost::json;

// Eight sums beside each other, which the compiler may keep in one register.
float dot(const float* a, const float* b, std::size_t size) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  }
  float sum = 0;
  for (; i < size; ++i) sum += a[i] * b[i];
  for (const float one : sums) sum += one;
  return sum;
}

std::unexpected<Error> not_embeddings() {
  return fail(ErrorKind::UpstreamBroken, Origin::Upstream,
              "The embedding model's answer is not what was asked for.", "faq_embeddings");
}

bool make_unit(Vector& vector) {
  double sum = 0;
  for (const float one : vector) sum += double(one) * double(one);
  if (!(sum > 0) || !std::isfinite(sum)) return false;
  const auto scale = static_cast<float>(1 / std::sqrt(sum));
  for (float& one : vector) one *= scale;
  return true;
}

bool read_vector(const bj::value& one, Vector& out) {
  const bj::value* values = one.is_object() ? one.as_object().if_contains("embedding") : nullptr;
  if (!values || !values->is_array()) return false;
  const bj::array& numbers = values->as_array();
  if (numbers.empty() || numbers.size() > Vectors::kMostDimensions) return false;
  out.reserve(numbers.size());
  for (const bj::value& number : numbers) {
    bj::error_code failed;
    const auto value = number.to_number<double>(failed);
    if (failed) return false;
    out.push_back(static_cast<float>(value));
  }
  return make_unit(out);
}

}  // namespace

Vectors::Vectors(const FaqTable& table, const VectorMap& known) {
  for (const auto& entry : table.entries()) {
    for (std::size_t i = 0; i < entry->questions.size(); ++i) {
      const auto found = known.find(entry->questions[i]);
      if (found == known.end()) continue;
      const Vector& vector = *found->second;
      if (rows_.empty()) dimensions_ = vector.size();
      const bool room = rows_.size() < kMostRows && values_.size() + vector.size() <= kMostFloats;
      if (!room || vector.size() != dimensions_) continue;
      rows_.push_back({entry, i});
      values_.insert(values_.end(), vector.begin(), vector.end());
    }
  }
}

std::vector<Near> Vectors::nearest(std::span<const float> question, const FaqTable& table,
                                   const Asking& asking, double threshold, std::size_t most) const {
  std::vector<Near> best;
  if (question.size() != dimensions_) return best;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const double similarity = dot(question.data(), &values_[i * dimensions_], dimensions_);
    if (!(similarity >= threshold)) continue;
    if (best.size() == most && similarity <= best.back().similarity) continue;
    const Entry& then = *rows_[i].entry;
    const Entry* entry = table.by_id(then.id);
    if (!entry || entry->version != then.version || !serves(*entry, asking)) continue;
    // One row an entry: its nearest wording.
    const auto same = std::ranges::find(best, entry, &Near::entry);
    const Near near{entry, similarity, then.questions[rows_[i].question]};
    if (same != best.end()) {
      if (similarity > same->similarity) *same = near;
    } else {
      if (best.size() == most) best.pop_back();
      best.push_back(near);
    }
    std::ranges::stable_sort(best, std::greater(), &Near::similarity);
  }
  return best;
}

Result<std::vector<Vector>> read_embeddings(std::string_view body, std::size_t count) {
  bj::error_code failed;
  const bj::value value = bj::parse(bj::string_view(body.data(), body.size()), failed);
  const bj::value* data =
      !failed && value.is_object() ? value.as_object().if_contains("data") : nullptr;
  if (!data || !data->is_array() || data->as_array().size() != count) return not_embeddings();
  std::vector<Vector> all(count);
  std::size_t place = 0;
  for (const bj::value& one : data->as_array()) {
    const bj::value* index = one.is_object() ? one.as_object().if_contains("index") : nullptr;
    const std::size_t at =
        index && index->is_int64() ? static_cast<std::size_t>(index->as_int64()) : place;
    if (at >= count || !all[at].empty() || !read_vector(one, all[at])) return not_embeddings();
    if (all[at].size() != all[0].size() && !all[0].empty()) return not_embeddings();
    ++place;
  }
  return all;
}

std::string embeddings_body(std::string_view model, std::span<const std::string_view> inputs) {
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("model", model).key("input").begin_array();
  for (const auto input : inputs) json.string(input);
  json.end_array().field("encoding_format", "float").end_object();
  return body;
}

}  // namespace causeway::faq

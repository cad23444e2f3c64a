#include "platform/bert/weights_file.h"

#include <boost/json.hpp>
#include <cstring>
#include <fstream>
#include <iterator>

namespace causeway::bert {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMostHeader = std::size_t{1} << 20;

std::unexpected<Error> unreadable(const std::string& why) {
  return fail(ErrorKind::Unavailable, Origin::Us, "The file of weights cannot be used: " + why,
              "model_invalid");
}

std::size_t size_of(const bj::value& number) {
  return number.is_int64() && number.get_int64() >= 0 ? static_cast<std::size_t>(number.get_int64())
                                                      : SIZE_MAX;
}

}  // namespace

Result<WeightsFile> WeightsFile::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return unreadable("it cannot be read");
  return parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

Result<WeightsFile> WeightsFile::parse(std::string bytes) {
  WeightsFile file;
  file.data_ = std::move(bytes);
  std::uint64_t header = 0;
  if (file.data_.size() < sizeof header) return unreadable("it is too short");
  std::memcpy(&header, file.data_.data(), sizeof header);
  if (header > kMostHeader || header % sizeof(float) != 0 ||
      header > file.data_.size() - sizeof header) {
    return unreadable("its header has no good size");
  }
  const std::size_t start = sizeof header + header;
  boost::system::error_code failed;
  const auto value = bj::parse(std::string_view(file.data_).substr(sizeof header, header), failed);
  if (failed || !value.is_object()) return unreadable("its header is no JSON");
  for (const auto& [name, about] : value.get_object()) {
    if (!about.is_object()) return unreadable("its header is none");
    if (name == "__metadata__") {
      for (const auto& [fact, words] : about.get_object()) {
        if (words.is_string()) file.facts_.emplace(fact, std::string_view(words.get_string()));
      }
      continue;
    }
    const auto* type = about.get_object().if_contains("dtype");
    const auto* places = about.get_object().if_contains("data_offsets");
    if (!type || !type->is_string() || !places || !places->is_array() ||
        places->get_array().size() != 2) {
      return unreadable("an array is not described");
    }
    const std::size_t begin = size_of(places->get_array()[0]);
    const std::size_t end = size_of(places->get_array()[1]);
    if (begin > end || end > file.data_.size() - start) return unreadable("an array lies outside");
    const bool is_float = type->get_string() == "F32";
    if (is_float && (begin % sizeof(float) != 0 || (end - begin) % sizeof(float) != 0)) {
      return unreadable("numbers lie between the places for them");
    }
    file.arrays_.emplace(name, Array{is_float, start + begin, start + end});
  }
  return file;
}

std::span<const float> WeightsFile::floats(std::string_view name) const {
  const auto at = arrays_.find(name);
  if (at == arrays_.end() || !at->second.is_float) return {};
  return {reinterpret_cast<const float*>(data_.data() + at->second.begin),
          (at->second.end - at->second.begin) / sizeof(float)};
}

std::span<const std::uint8_t> WeightsFile::bytes(std::string_view name) const {
  const auto at = arrays_.find(name);
  if (at == arrays_.end() || at->second.is_float) return {};
  return {reinterpret_cast<const std::uint8_t*>(data_.data() + at->second.begin),
          at->second.end - at->second.begin};
}

std::string_view WeightsFile::fact(std::string_view name) const {
  const auto at = facts_.find(name);
  return at == facts_.end() ? std::string_view() : at->second;
}

}  // namespace causeway::bert

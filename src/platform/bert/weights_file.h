// A file of named arrays of numbers (safetensors: https://github.com/huggingface/safetensors), with
// facts in words beside them. scripts/tools/onnx_to_safetensors.py writes it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::bert {

class WeightsFile {
 public:
  /// Reads all of it into memory. Errors: Unavailable, with what is wrong with the file.
  static Result<WeightsFile> read(const std::string& path);
  /// As read(), of a file's bytes.
  static Result<WeightsFile> parse(std::string bytes);

  /// Empty where there is no such array, or it is of another type. Views live as long as this.
  std::span<const float> floats(std::string_view name) const;
  std::span<const std::uint8_t> bytes(std::string_view name) const;
  /// Empty where it is not told.
  std::string_view fact(std::string_view name) const;

 private:
  struct Array {
    bool is_float;
    std::size_t begin, end;  // in data_
  };
  std::string data_;
  std::map<std::string, Array, std::less<>> arrays_;
  std::map<std::string, std::string, std::less<>> facts_;
};

}  // namespace causeway::bert

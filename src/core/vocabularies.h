// The vocabularies of tokens that are published, by name: how many tokens a text has in them can be
// told without asking anybody.
#pragma once

#include <memory>
#include <string_view>

namespace causeway {

namespace bpe {
class Vocabulary;
}

class Vocabularies {
 public:
  virtual ~Vocabularies() = default;
  /// Null where its file is not here: then its fetch has been begun, unless there is no way to.
  /// Reads the file at the first call, so not on an event loop. From any thread.
  virtual std::shared_ptr<const bpe::Vocabulary> find(std::string_view name) = 0;
};

}  // namespace causeway

// The master keys: one that wraps, and older ones that still unwrap until everything is wrapped
// anew. Kept in a file of the data folder, or given by the config.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::store {

/// Where the master key comes from. Empty: the file `master.key` in the data folder, made at the
/// first start. Otherwise a text of at least 32 characters from the config; `previous` are texts
/// that it replaces: what they wrap is wrapped anew at start.
struct MasterKeys {
  Secret current;
  std::vector<Secret> previous;
};

class MasterRing {
 public:
  struct Master {
    std::string id;  // public: tells which key wraps a data key
    Secret key;      // 32 bytes
    Secret line;     // what the file holds; empty for one from the config
  };

  /// `needed`: something is wrapped already, so that a missing file is an error and not a first
  /// start.
  static Result<MasterRing> load(std::filesystem::path file, MasterKeys keys, bool needed);

  const Master& current() const { return masters_.front(); }
  const Master* find(std::string_view id) const;
  bool from_config() const { return current().line.empty(); }

  /// Puts a new key in front, on the disk before this returns. File form only.
  Result<void> begin_rotation();
  /// Forgets all but the current key. File form: also on the disk.
  Result<void> end_rotation();

 private:
  explicit MasterRing(std::filesystem::path file) : file_(std::move(file)) {}
  Result<void> read_file();
  Result<void> write_file() const;

  std::filesystem::path file_;
  std::vector<Master> masters_;
};

}  // namespace causeway::store

// A Lua script that Redis runs as one step, by its digest. An object belongs to one client.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "platform/redis/client.h"

namespace causeway::redis {

class Script {
 public:
  explicit Script(std::string source);

  const std::string& sha() const { return sha_; }
  /// EVALSHA; where Redis does not know the script (it was restarted or flushed), EVAL once. Keys
  /// and arguments must live until the end. The call's errors are Client::command's.
  Task<Result<Reply>> run(Client& client, std::span<const std::string_view> keys,
                          std::span<const std::string_view> args);

 private:
  std::string source_, sha_;  // 40 hexadecimal digits
  int loading_ = 0;           // EVALs in flight: what is sent behind one finds the script
};

}  // namespace causeway::redis

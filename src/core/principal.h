// Who is calling. Made by whatever identified the caller (an API key now; a JWT or a browser
// session later) and immutable from then on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

struct Principal {
  std::string key_id;  // stable name of the credential, shown in usage and logs; never the secret
  std::string key_name;
  std::string tenant;
  std::string user;
  std::vector<std::string> roles;
  std::map<std::string, std::string, std::less<>> attributes;
  std::vector<std::string> models;  // glob patterns of the models that may be asked for
  bool may_use(std::string_view model) const;
};

}  // namespace causeway

// How a verb asks the running program.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>

#include "core/admin.h"

namespace causeway {

/// What the program answered: an object.
struct AdminAnswer {
  std::string raw;  // as it came, for --json
  boost::json::value object;
};

/// Where there is no answer, or it says no, that is told on stderr, and the exit code is given.
std::expected<AdminAnswer, int> ask_admin(AdminClient& admin, http::Method method,
                                          const std::string& path_and_query,
                                          const std::string& body = {});

}  // namespace causeway

#include "providers/vertex/config.h"

#include <algorithm>

namespace causeway::vertex {
namespace {

bool is_name(const std::string& text, std::string_view signs) {
  const auto right = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || signs.find(c) != signs.npos;
  };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), right);
}

std::string check_project(const std::string& text) {
  return is_name(text, "-.:") ? "" : "must be the id or the number of a project";
}

std::string check_location(const std::string& text) {
  return is_name(text, "-") ? "" : "must be `global` or a location, as europe-west4";
}

}  // namespace

void describe(config::Fields& f, VertexConfig& c) {
  describe_upstream(f, c,
                    "Default: https://aiplatform.googleapis.com for the location `global`, "
                    "https://LOCATION-aiplatform.googleapis.com for a region.",
                    "An API key of Vertex AI (express mode), sent as x-goog-api-key, instead of a "
                    "service account's token.");
  f.field("project", c.project,
          "The project's id. Default: GOOGLE_CLOUD_PROJECT of the environment, else the one in the "
          "key file.")
      .check(check_project, "^[0-9a-z.:-]{1,63}$");
  f.field("location", c.location,
          "`global`, a region as europe-west4, `us` or `eu`. Default: GOOGLE_CLOUD_LOCATION of the "
          "environment, else `global`.")
      .check(check_location, "^[0-9a-z-]{1,63}$");
  f.field(
      "credentials_file", c.credentials_file,
      "The key file (JSON) of a service account. Default: GOOGLE_APPLICATION_CREDENTIALS of the "
      "environment.");
  f.field(
      "metadata", c.metadata,
      "Tokens come from the metadata server of the machine, for the service account that it runs "
      "as (Compute Engine, GKE, Cloud Run), also where the environment names a key file.");
  f.check<VertexConfig>(
      c, [](const VertexConfig& vertex, config::Position at, config::Problems& problems) {
        const int ways = vertex.has_key() + !vertex.credentials_file.empty() + vertex.metadata;
        if (ways > 1) {
          problems.add(at, "only one of api_key, credentials_file and metadata can be set");
        }
      });
}

}  // namespace causeway::vertex

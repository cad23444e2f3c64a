// Which gateway a command is about: its configuration file and its data folder. `causeway serve`
// and all verbs decide by the same order, so that what serve started is what the verbs find.
//   file: --config, else ./causeway.yaml where there is one
//   data: --data, else CAUSEWAY_DATA, else server.data of the file, else ./causeway-data
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "app/snapshot_builder.h"

namespace causeway::app {

struct Vocabulary;

struct Where {
  std::string config_path;  // empty: no file
  std::string data;         // as --data or CAUSEWAY_DATA say; empty: neither
  bool data_given = false;  // by --data
};

/// Takes --config and --data out of a verb's arguments.
Where take_where(std::vector<std::string>& args, const Environment& environment);

/// `given`, else the file of the working folder where there is one, else "".
std::string config_in_use(const std::string& given);
/// `given`, else what CAUSEWAY_DATA says, else "".
std::string data_in_use(const std::string& given, const Environment& environment);

/// What the file says, or without one what the environment says; of a file with problems as much as
/// could be read. InvalidRequest where the file itself cannot be read.
Result<AppConfig> read_where(const Where& where, const Vocabulary& vocabulary,
                             const Environment& environment);
/// Where all of that leaves the data folder.
Result<std::string> data_folder(const Where& where);

/// InvalidRequest, with what may mend it, when there is no such file.
Result<void> check_readable(const std::string& config_path);
/// Whether there is nothing in a configuration's text but comments.
bool is_blank(std::string_view text);
/// Whether there is anything in the file but comments. Errors: InvalidRequest.
Result<void> check_not_blank(const std::string& config_path);

/// As people should see a path: whole.
std::string shown_path(const std::string& path);

/// The options of take_where(), for the verbs' help.
inline constexpr const char* kWhereHelp =
    "Which gateway is meant:\n"
    "  --data DIR      its data folder; else CAUSEWAY_DATA, else server.data of the\n"
    "                  configuration, else ./causeway-data\n"
    "  --config FILE   its configuration; else ./causeway.yaml where there is one\n";

}  // namespace causeway::app

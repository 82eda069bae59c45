// What the configuration is read with: files, the process environment, and names of files.
#ifndef ZRS_SIDECAR_CONFIG_ENVIRONMENT_H_
#define ZRS_SIDECAR_CONFIG_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sidecar/config/substitution.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

struct User {
  uint32_t id = 0;
  uint32_t group_id = 0;
};

struct Environment {
  ReadFile read_file;
  GetEnvironment get_environment;
  // The absolute path without symbolic links; nothing when there is no such file or it cannot be told.
  std::function<std::optional<std::string>(const std::string& path)> real_path;
  // By name, or else by number in decimal digits; nothing when this host knows none.
  std::function<std::optional<User>(const std::string& name_or_number)> find_user;
  std::function<std::optional<uint32_t>(const std::string& name_or_number)> find_group;
  std::string working_directory;  // absolute
  uint32_t user_id = 0;           // effective; 0 is root
};

// This process's.
Environment ProcessEnvironment();

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_ENVIRONMENT_H_

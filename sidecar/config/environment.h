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

struct Environment {
  ReadFile read_file;
  GetEnvironment get_environment;
  // The absolute path without symbolic links; nothing when there is no such file or it cannot be told.
  std::function<std::optional<std::string>(const std::string& path)> real_path;
  std::string working_directory;  // absolute
  uint32_t user_id = 0;           // effective; 0 is root
};

// This process's.
Environment ProcessEnvironment();

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_ENVIRONMENT_H_

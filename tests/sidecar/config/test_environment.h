// A world for the configuration that is only in memory.
#ifndef ZRS_TESTS_SIDECAR_CONFIG_TEST_ENVIRONMENT_H_
#define ZRS_TESTS_SIDECAR_CONFIG_TEST_ENVIRONMENT_H_

#include <map>
#include <string>

#include "sidecar/config/environment.h"

namespace zrs::config {

struct TestWorld {
  std::map<std::string, std::string> files;       // by absolute path
  std::map<std::string, std::string> variables;   // of the environment
  std::map<std::string, std::string> real_paths;  // what symbolic links lead to; others do not exist
  uint32_t user_id = 0;
  std::map<std::string, User> users{};       // by name
  std::map<std::string, uint32_t> groups{};  // by name
};

// `world` has to outlive it. The working directory is /work.
Environment MakeEnvironment(const TestWorld& world);

// The file at `path`, which a test has as data.
std::string ReadTestData(const std::string& path);

}  // namespace zrs::config

#endif  // ZRS_TESTS_SIDECAR_CONFIG_TEST_ENVIRONMENT_H_

#include "tests/sidecar/config/test_environment.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "absl/status/status.h"

namespace zrs::config {

Environment MakeEnvironment(const TestWorld& world) {
  Environment environment;
  environment.read_file = [&world](const std::string& path) -> absl::StatusOr<std::string> {
    const auto found = world.files.find(std::filesystem::path(path).lexically_normal().string());
    if (found == world.files.end()) return absl::NotFoundError("No such file or directory");
    return found->second;
  };
  environment.get_environment = [&world](const std::string& name) -> std::optional<std::string> {
    const auto found = world.variables.find(name);
    if (found == world.variables.end()) return std::nullopt;
    return found->second;
  };
  environment.real_path = [&world](const std::string& path) -> std::optional<std::string> {
    const auto found = world.real_paths.find(path);
    if (found == world.real_paths.end()) return std::nullopt;
    return found->second;
  };
  environment.find_user = [&world](const std::string& name) -> std::optional<User> {
    const auto found = world.users.find(name);
    if (found == world.users.end()) return std::nullopt;
    return found->second;
  };
  environment.find_group = [&world](const std::string& name) -> std::optional<uint32_t> {
    const auto found = world.groups.find(name);
    if (found == world.groups.end()) return std::nullopt;
    return found->second;
  };
  environment.working_directory = "/work";
  environment.user_id = world.user_id;
  return environment;
}

std::string ReadTestData(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace zrs::config

// What a configuration is refused with, and short configurations to refuse.
#ifndef ZRS_TESTS_SIDECAR_CONFIG_ERROR_MESSAGES_H_
#define ZRS_TESTS_SIDECAR_CONFIG_ERROR_MESSAGES_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "sidecar/config/loader.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::config {

inline std::string Message(const TestWorld& world) {
  const absl::StatusOr<Settings> settings = LoadSettings("/etc/zrs.conf", MakeEnvironment(world));
  return settings.ok() ? "no error" : std::string(settings.status().message());
}

inline std::string Message(const std::string& text) { return Message(TestWorld{{{"/etc/zrs.conf", text}}, {}, {}, 0}); }

inline constexpr char kFile[] = "<filestorage>\npath /data/Data.fs\n</filestorage>\n";

// The keys begin on line 2.
inline std::string Zrs(const std::string& keys) { return absl::StrCat("<zrs main>\n", keys, "\n", kFile, "</zrs>\n"); }
inline std::string Storage(const std::string& name, const std::string& keys, const std::string& path) {
  return absl::StrCat("<zrs ", name, ">\n", keys, "\n<filestorage>\npath ", path, "\n</filestorage>\n</zrs>\n");
}
inline std::string Sidecar(const std::string& keys) {
  return absl::StrCat("<sidecar>\n", keys, "\n</sidecar>\n", Zrs("replicate-to 5000"));
}

}  // namespace zrs::config

#endif  // ZRS_TESTS_SIDECAR_CONFIG_ERROR_MESSAGES_H_

// Any configuration, with any file that it includes or that a ZEO server has: settings, or an error that names the
// place and the remedy.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "sidecar/config/loader.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/one_input.h"
#include "tests/sidecar/config/test_environment.h"

namespace zrs::fuzz {
namespace {

void LoadOnce(const std::string& text, const std::string& other) {
  const config::TestWorld world{{{"/etc/zrs.conf", text}, {"/etc/other", other}}, {{"HOME", "/h"}}, {}, 0};
  const absl::StatusOr<config::Settings> settings =
      config::LoadSettings("/etc/zrs.conf", config::MakeEnvironment(world));
  if (settings.ok()) {
    EXPECT_FALSE(settings->storages.empty());
    return;
  }
  const std::string message(settings.status().message());
  EXPECT_TRUE(absl::StartsWith(message, "/etc/")) << message;
  EXPECT_TRUE(absl::StrContains(message, "; ")) << message;
  EXPECT_LT(message.size(), 2000 + 4 * (text.size() + other.size()));  // a path is told as it is
  for (const char c : message) EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ') << message;
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A zero byte, which no configuration may have, sets the two files apart.
  const std::string all(reinterpret_cast<const char*>(data), size);
  const size_t border = all.find('\0');
  const std::string text = all.substr(0, border);
  const std::string other = border == std::string::npos ? text : all.substr(border + 1);
  zrs::fuzz::LoadOnce(text, other);
  zrs::fuzz::LoadOnce("<zrs>\nreplicate-to 1\nzeo-conf other\nzeo-storage main\n</zrs>\n", text);
  return 0;
}
